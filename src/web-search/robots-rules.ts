/** What sites want read: robots.txt (RFC 9309), fetched once in a while for each host. */
import { LRUCache } from 'lru-cache';
import { type Egress, EgressError } from '../egress/egress.ts';
import { parseRobotsFile, type RobotsFile } from './robots-file.ts';
import { createSharedWork } from './share-work.ts';

export interface RobotsRules {
  /**
   * Without a file everything is allowed. Throws EgressError when the site itself cannot or may not be asked, and
   * the signal's reason.
   */
  isAllowed(url: string, signal: AbortSignal, isTrusted?: boolean): Promise<boolean>;
}

/** RFC 9309, section 2.5: parsers must take 500 KiB at least, and may ignore the rest. */
const fileBytesMax = 512_000;
const fetchMs = 4_000;
/** Section 2.4: not longer than a day. */
const rulesMs = 3_600_000;
const hostsMax = 2_000;

/** How long a server that fails is not asked again. */
const failedRulesMs = 60_000;

interface Fetched {
  readonly text: string;
  readonly ttl: number;
}

export function createRobotsRules(egress: Egress, robotsName: string): RobotsRules {
  const rulesByOrigin = new LRUCache<string, RobotsFile>({ max: hostsMax });
  const share = createSharedWork<RobotsFile>();
  return {
    async isAllowed(url, signal, isTrusted = false) {
      const address = URL.parse('/robots.txt', url);
      // What is no address is refused by the fetch of the page, which says why.
      if (address === null) return true;
      const { origin, href } = address;
      const rules =
        rulesByOrigin.get(origin) ??
        // The pages of one search are often of one site, whose file is fetched once for them all.
        (await share(`${origin} ${isTrusted}`, signal, async (sharedSignal) => {
          const { text, ttl } = await fetchRules(egress, href, sharedSignal, isTrusted);
          const fetched = parseRobotsFile(text, robotsName);
          rulesByOrigin.set(origin, fetched, { ttl });
          return fetched;
        }));
      return rules.isAllowed(url);
    },
  };
}

async function fetchRules(
  egress: Egress,
  url: string,
  signal: AbortSignal,
  isTrusted: boolean,
): Promise<Fetched> {
  try {
    const { status, bytes } = await egress.fetch({
      url,
      signal,
      isTrusted,
      bytesMax: fileBytesMax,
      timeoutMs: fetchMs,
    });
    // Section 2.3.1.4: a server that fails may be hiding its rules, so nothing is allowed until it works.
    if (status >= 500) return refuseAll;
    return status >= 200 && status < 300 ? { text: bytes.toString('utf8'), ttl: rulesMs } : allowAll;
  } catch (error) {
    if (!(error instanceof EgressError)) throw error;
    // A file that cannot be understood is none; a host that cannot be asked is the page's failure.
    if (error.failure === 'too_large' || error.failure === 'bad_encoding') return allowAll;
    if (error.failure === 'too_many_redirects') return allowAll;
    throw error;
  }
}

const allowAll: Fetched = { text: '', ttl: rulesMs };
const refuseAll: Fetched = { text: 'User-agent: *\nDisallow: /', ttl: failedRulesMs };
