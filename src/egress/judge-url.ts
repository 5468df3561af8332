import { type AllowList, normalizeHost } from './allow-list.ts';
import { EgressError } from './egress.ts';

/** Returns the address without its fragment. Throws EgressError for what may not be asked, whatever it resolves to. */
export type JudgeUrl = (url: URL, isTrusted: boolean) => URL;

export function createUrlJudge(allowList: AllowList, openPorts: readonly number[]): JudgeUrl {
  return (url, isTrusted) => {
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      throw new EgressError('bad_url', 'Only http and https addresses can be fetched.');
    }
    if (url.username !== '' || url.password !== '') {
      throw new EgressError('credentials', 'Addresses with a user name or a password are not fetched.');
    }
    const port = portOf(url);
    if (!isTrusted && !openPorts.includes(port) && !allowList.opensPort(url.hostname, port)) {
      throw new EgressError('forbidden_port', `Port ${port} of ${normalizeHost(url.hostname)} is not open.`);
    }
    const judged = new URL(url);
    judged.hash = '';
    return judged;
  };
}

/** Throws EgressError `bad_url`. */
export function parseUrl(text: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (url === null) throw new EgressError('bad_url', 'This is not an absolute http address.');
  return url;
}

/** The port that will be connected to; URLs leave out their scheme's own. */
export function portOf(url: Pick<URL, 'protocol' | 'port'>): number {
  return Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
}
