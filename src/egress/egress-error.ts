/** Why a fetch did not end with an answer. A closed list: callers branch on it, people read the message. */
export type EgressFailure =
  /** Not an absolute http or https address, or one that no URL parser takes. */
  | 'bad_url'
  /** The address carries a user name or a password. */
  | 'credentials'
  /** A port other than those that are open to everybody. */
  | 'forbidden_port'
  /** Private, loopback, link-local or another address that strangers may not have us ask. */
  | 'forbidden_address'
  /** The name does not exist. */
  | 'unknown_host'
  | 'too_many_redirects'
  /** More bytes than asked for, compressed or not. */
  | 'too_large'
  | 'timeout'
  /** A compression that we did not offer, or a body that does not decompress. */
  | 'bad_encoding'
  /** Connection refused or broken, TLS failed, not HTTP. */
  | 'unreachable';

/** The message is for people and for the caller: it names no address that a name was resolved to. */
export class EgressError extends Error {
  readonly failure: EgressFailure;

  constructor(failure: EgressFailure, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'EgressError';
    this.failure = failure;
  }
}
