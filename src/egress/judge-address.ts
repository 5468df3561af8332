import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';

/**
 * Azure's host service: reachable from every machine there and full of secrets, yet in a public range. The
 * metadata services of the other clouds are link-local, private or reserved.
 */
const azureHostService = '168.63.129.16';

/** The only range of IPv6 that is routed on the internet (RFC 4291, section 2.4, and IANA's registry). */
const globalUnicastV6 = ipaddr.parseCIDR('2000::/3');

/**
 * Whether strangers may have us connect to this address: only global unicast. What embeds another address (IPv4-mapped
 * and -compatible, NAT64, 6to4, Teredo) is refused whatever it embeds, because it is needed by no public site.
 * `address` is what a resolver returned, or the text between the brackets of a URL.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast') return false;
  // An address with a zone (`fe80::1%eth0`) is bound to one network of ours.
  if (parsed.kind() === 'ipv6' && (address.includes('%') || !parsed.match(globalUnicastV6))) return false;
  return parsed.toString() !== azureHostService && !isOwnAddress(parsed.toNormalizedString());
}

/** A public address of this very machine leads to whatever listens beside us, behind any firewall. */
function isOwnAddress(normalized: string): boolean {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .some(
      ({ address }) => ipaddr.isValid(address) && ipaddr.parse(address).toNormalizedString() === normalized,
    );
}
