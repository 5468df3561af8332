/** A request that did not succeed: the server's own words, or that there was no server. */
export class ApiFailure extends Error {
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  /** The error itself, as docs/errors.md lists them; `unreachable` when no answer came. */
  readonly code: string;
  readonly type: string;
  /** The field at fault, such as `password`. */
  readonly param: string | undefined;
  /** Names the request in the server's logs. */
  readonly requestId: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  /** The body as it came, for "raw response". */
  readonly body: string;

  constructor(failure: {
    readonly status: number;
    readonly message: string;
    readonly code?: string;
    readonly type?: string;
    readonly param?: string | undefined;
    readonly requestId?: string | undefined;
    readonly retryAfterSeconds?: number | undefined;
    readonly body?: string;
    readonly cause?: unknown;
  }) {
    super(failure.message, { cause: failure.cause });
    this.name = 'ApiFailure';
    this.status = failure.status;
    this.code = failure.code ?? 'unknown';
    this.type = failure.type ?? 'unknown';
    this.param = failure.param;
    this.requestId = failure.requestId;
    this.retryAfterSeconds = failure.retryAfterSeconds;
    this.body = failure.body ?? '';
  }

  /** No answer came: the server is down, restarting, or the network is. */
  get isUnreachable(): boolean {
    return this.status === 0;
  }
}

/**
 * What is wrong with one field, for a note beside it; undefined when the failure is not about that field. The API's
 * message names the field first, which the person sees.
 */
export function failureOf(error: Error | null, param: string): string | undefined {
  if (!(error instanceof ApiFailure) || error.param !== param) return undefined;
  const naming = `Invalid request: ${param}: `;
  if (!error.message.startsWith(naming)) return error.message;
  const text = error.message.slice(naming.length);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

interface WireErrorBody {
  readonly message?: unknown;
  readonly error?: {
    readonly message?: unknown;
    readonly type?: unknown;
    readonly code?: unknown;
    readonly param?: unknown;
  };
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Reads an error answer of our API; one that is not ours (a proxy's) is quoted by its status. */
export async function readFailure(response: Response): Promise<ApiFailure> {
  const body = await response.text();
  const wire = parseErrorBody(body);
  return new ApiFailure({
    status: response.status,
    message:
      textOf(wire.error?.message) ?? textOf(wire.message) ?? `HTTP ${response.status} ${response.statusText}`,
    code: textOf(wire.error?.code) ?? `http_${response.status}`,
    type: textOf(wire.error?.type) ?? 'unknown',
    param: textOf(wire.error?.param),
    requestId: response.headers.get('x-inference-id') ?? undefined,
    retryAfterSeconds: Number(response.headers.get('retry-after') ?? Number.NaN) || undefined,
    body,
  });
}

function parseErrorBody(body: string): WireErrorBody {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as WireErrorBody) : {}; // Each field is checked by its reader.
  } catch {
    // A proxy's HTML page: nothing in it is for the person.
    return {};
  }
}
