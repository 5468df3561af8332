/**
 * Opens sockets only to addresses that were judged. The judgement is made where the socket is opened, on the very
 * address that is then used: a name that resolves differently a moment later (DNS rebinding) changes nothing.
 */
import { type LookupAddress, type LookupAllOptions, lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { type AllowList, normalizeHost } from './allow-list.ts';
import { EgressError } from './egress.ts';
import { isPublicAddress } from './judge-address.ts';
import { portOf } from './judge-url.ts';

/** The part of `dns.lookup` that is used; tests put a resolver here whose answers change. */
export type ResolveHost = (
  host: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface ConnectorOptions {
  readonly allowList: AllowList;
  readonly connectTimeoutMs: number;
  readonly resolveHost?: ResolveHost;
}

type Connector = ReturnType<typeof buildConnector>;

export function createGuardedConnector(options: ConnectorOptions): Connector {
  const { allowList, connectTimeoutMs, resolveHost = systemLookup } = options;
  return (connection, callback) => {
    const host = normalizeHost(connection.hostname);
    const port = portOf(connection);
    const isAllowed = (address: string): boolean =>
      allowList.isAllowed(host, port) || allowList.isAllowed(address, port) || isPublicAddress(address);
    // A literal address is connected to without a look-up, so it is judged here.
    if (isIP(host) !== 0 && !isAllowed(host)) {
      callback(forbidden(host), null);
      return;
    }
    const connect = buildConnector({
      timeout: connectTimeoutMs,
      allowH2: false,
      lookup: createGuardedLookup(host, isAllowed, resolveHost),
    });
    connect(connection, callback);
  };
}

function createGuardedLookup(
  host: string,
  isAllowed: (address: string) => boolean,
  resolveHost: ResolveHost,
): LookupFunction {
  return (name, options, callback) => {
    resolveHost(name, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, '');
        return;
      }
      // Addresses beside a forbidden one are still good: only judged ones are ever connected to.
      const allowed = addresses.filter(({ address }) => isAllowed(address));
      const first = allowed[0];
      if (first === undefined) callback(forbidden(host), '');
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

function forbidden(host: string): EgressError {
  return new EgressError(
    'forbidden_address',
    `${host} is not on the public internet; an operator can open it with the setting egress_allow_hosts.`,
  );
}
