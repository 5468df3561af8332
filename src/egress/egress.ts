/**
 * THE SEAM of fetching: what may be asked of the outside world, and how it fails. `create-egress.ts` is the one door
 * behind it, for every address that a user, a model or a page named.
 */

export interface EgressRequest {
  readonly url: string;
  readonly signal: AbortSignal;
  /**
   * True for addresses from the configuration or the command line: they may lie in private networks. A redirect to
   * another host is judged like a stranger's address, and gets none of `headers`.
   */
  readonly isTrusted?: boolean;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Default 5 MB, of the body on the wire and of the decompressed one. */
  readonly bytesMax?: number;
  /** Default 10 s, from the first look-up to the last byte, redirects included. */
  readonly timeoutMs?: number;
  /** Default 5. */
  readonly redirectsMax?: number;
}

export interface EgressResponse {
  readonly status: number;
  /** Where the redirects ended. */
  readonly url: string;
  /** Names in lower case; repeated headers are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
}

export interface Egress {
  /** Every status is an answer. Throws EgressError, or the signal's reason. */
  fetch(request: EgressRequest): Promise<EgressResponse>;
  close(): Promise<void>;
}

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
