/**
 * What an operator opens inside their own network, each entry `host`, `host:port` or `host:*`. A host is a name, a name
 * with all names below it (`*.corp.example`), an address (IPv6 in brackets) or a range of addresses
 * (`10.1.0.0/16`). Without a port the entry opens the ports that are open anyway.
 */
import ipaddr from 'ipaddr.js';

interface Entry {
  /** True when the name or address is the one that the entry means. */
  readonly matches: (host: string) => boolean;
  /** `undefined`: the ports that are open anyway; `*`: every port. */
  readonly port: number | '*' | undefined;
}

export interface AllowList {
  /** Whether the host, by the name in the URL or by an address that it has, was opened for this port. */
  isAllowed(host: string, port: number): boolean;
  /** Whether some entry opens this port of this host although it is not open to everybody. */
  opensPort(host: string, port: number): boolean;
}

/** The parts of an entry: a host in brackets or without colons, and perhaps a port. */
const entryPattern = /^(\[[^\]]+\](?:\/\d{1,3})?|[^:\s[\]]+)(?::(\d{1,5}|\*))?$/;

/** Undefined when the text is no entry. */
export function parseAllowEntry(text: string): Entry | undefined {
  const [, bracketedHost, portText] = entryPattern.exec(text.trim().toLowerCase()) ?? [];
  const host = bracketedHost?.replaceAll(/[[\]]/g, '');
  if (host === undefined) return undefined;
  const port = portText === undefined || portText === '*' ? portText : Number(portText);
  if (typeof port === 'number' && (port < 1 || port > 65_535)) return undefined;
  const matches = createHostTest(host);
  return matches && { matches, port: port === undefined || port === '*' ? port : Number(port) };
}

function createHostTest(host: string): Entry['matches'] | undefined {
  if (host.includes('/')) {
    if (!ipaddr.isValidCIDR(host)) return undefined;
    const [network, bits] = ipaddr.parseCIDR(host);
    return (candidate) => {
      if (!ipaddr.isValid(candidate)) return false;
      const address = ipaddr.parse(candidate);
      return address.kind() === network.kind() && address.match(network, bits);
    };
  }
  if (ipaddr.isValid(host)) {
    const normalized = ipaddr.parse(host).toNormalizedString();
    return (candidate) =>
      ipaddr.isValid(candidate) && ipaddr.parse(candidate).toNormalizedString() === normalized;
  }
  if (!/^(\*\.)?[\p{L}\p{N}_-]+(\.[\p{L}\p{N}_-]+)*$/u.test(host)) return undefined;
  if (host.startsWith('*.')) return (candidate) => candidate.endsWith(host.slice(1));
  return (candidate) => candidate === host;
}

/** Throws when an entry is no entry; the settings refuse it before. */
export function createAllowList(entries: readonly string[], openPorts: readonly number[]): AllowList {
  const parsed = entries.map((text) => {
    const entry = parseAllowEntry(text);
    if (entry === undefined) throw new Error(`'${text}' is no entry of an allow-list`);
    return entry;
  });
  const isOpened = (host: string, port: number, isOpenPort: boolean): boolean =>
    parsed.some(
      (entry) =>
        (entry.port === '*' || entry.port === port || (entry.port === undefined && isOpenPort)) &&
        entry.matches(normalizeHost(host)),
    );
  return {
    isAllowed: (host, port) => isOpened(host, port, openPorts.includes(port)),
    opensPort: (host, port) => isOpened(host, port, false),
  };
}

/** A URL's host name as entries are written: without brackets and without the root's dot. */
export const normalizeHost = (host: string): string =>
  host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/(?<=.)\.$/, '');
