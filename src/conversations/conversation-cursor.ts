import { ApiError } from '../errors.ts';

/** The last conversation of a page. */
export interface ConversationCursor {
  readonly updatedAt: number;
  readonly id: string;
}

/** Base64url of `<updatedAt>:<id>`. It opens nothing: a page shows the asking account's conversations whatever it says. */
export function encodeCursor({ updatedAt, id }: ConversationCursor): string {
  return Buffer.from(`${updatedAt}:${id}`).toString('base64url');
}

/** Throws ApiError `invalid_request`. */
export function decodeCursor(cursor: string): ConversationCursor {
  const [, updatedAt, id] =
    /^(\d{1,15}):([\w-]{1,64})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (updatedAt === undefined || id === undefined) {
    throw new ApiError('invalid_request', {
      message: 'Query validation error: cursor: use `pagination.next_cursor` of the previous page',
      param: 'cursor',
    });
  }
  return { updatedAt: Number(updatedAt), id };
}
