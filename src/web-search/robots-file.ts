/**
 * A robots.txt file (RFC 9309), read and matched in linear time. robots-parser was tried first: 500 kB of wildcards, which
 * any page's host may serve, held its matcher, and with it the event loop, for twelve seconds.
 */

interface Rule {
  readonly isAllowed: boolean;
  /** Octets of the pattern: the longest match decides. */
  readonly length: number;
  /** What stands between the wildcards. */
  readonly parts: readonly string[];
  /** The pattern ended with `$`. */
  readonly isAnchored: boolean;
}

export interface RobotsFile {
  /** `url` is absolute. */
  isAllowed(url: string): boolean;
}

/** Beyond what any site needs; the rest is ignored, as section 2.5 allows. */
const rulesMax = 5_000;

/** The rules for this product; those for everybody where there are none. */
export function parseRobotsFile(text: string, productName: string): RobotsFile {
  const wanted = productName.toLowerCase();
  const own: Rule[] = [];
  const everybody: Rule[] = [];
  let groups: Rule[][] = [];
  let hasOwnGroup = false;
  /** Agents that follow one another share a group; after a rule, an agent begins another. */
  let isAgentList = false;
  for (const line of text.replace(/^\ufeff/, '').split(/\r\n|[\r\n]/)) {
    const [, name, value] = /^\s*([a-z-]+)\s*:\s*([^#]*)/i.exec(line) ?? [];
    const key = name?.toLowerCase();
    const trimmed = value?.trim() ?? '';
    if (key === 'user-agent') {
      if (!isAgentList) groups = [];
      isAgentList = true;
      const agent = /^[a-z_-]+|^\*/i.exec(trimmed)?.[0].toLowerCase();
      if (agent === '*') groups.push(everybody);
      else if (agent === wanted) {
        groups.push(own);
        hasOwnGroup = true;
      }
    } else if (key === 'allow' || key === 'disallow') {
      isAgentList = false;
      // An empty pattern matches nothing.
      if (trimmed === '') continue;
      const rule = parseRule(trimmed, key === 'allow');
      for (const group of groups) if (group.length < rulesMax) group.push(rule);
    }
  }
  const rules = hasOwnGroup ? own : everybody;
  return { isAllowed: (url) => judge(rules, new URL(url)) };
}

function judge(rules: readonly Rule[], { pathname, search }: URL): boolean {
  if (pathname === '/robots.txt') return true;
  const path = normalize(pathname + search);
  let best: Rule | undefined;
  for (const rule of rules) {
    const isBetter =
      best === undefined || rule.length > best.length || (rule.length === best.length && rule.isAllowed);
    if (isBetter && matches(rule, path)) best = rule;
  }
  return best?.isAllowed ?? true;
}

function parseRule(pattern: string, isAllowed: boolean): Rule {
  const isAnchored = pattern.endsWith('$');
  const normalized = normalize(isAnchored ? pattern.slice(0, -1) : pattern);
  return { isAllowed, length: pattern.length, parts: normalized.split(/\*+/), isAnchored };
}

/** The first part stands at the start, each further one anywhere behind: the earliest place leaves most room. */
function matches({ parts, isAnchored }: Rule, path: string): boolean {
  const [first = '', ...rest] = parts;
  if (!path.startsWith(first)) return false;
  const last = isAnchored ? rest.pop() : undefined;
  let at = first.length;
  for (const part of rest) {
    const found = path.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  if (!isAnchored) return true;
  return last === undefined ? at === path.length : path.length - last.length >= at && path.endsWith(last);
}

/** One spelling for each path (section 2.2.2): what need not be escaped is not, everything else in capitals. */
function normalize(path: string): string {
  return path
    .replaceAll(/[^\u0020-\u007e]+/g, (text) => encodeURIComponent(text.toWellFormed()))
    .replaceAll(/%[0-9a-f]{2}/gi, (octet) => {
      const character = String.fromCharCode(Number.parseInt(octet.slice(1), 16));
      return /[A-Za-z0-9._~-]/.test(character) ? character : octet.toUpperCase();
    });
}
