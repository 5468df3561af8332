import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SqliteReply } from './sqlite-protocol.ts';
import type { PackedRequest } from './statement-texts.ts';
import { decodeReplies, decodeRequests, encodeReplies, encodeRequests } from './wire-text.ts';

const group = (parameters: readonly unknown[]): PackedRequest => ({
  id: 7,
  type: 'group',
  isLazy: true,
  statements: [
    ['select ?', 1, parameters],
    [3, undefined, []],
  ],
});

const run: PackedRequest = {
  id: 8,
  type: 'run',
  transaction: undefined,
  statement: [0, undefined, ['a', null]],
};

const cross = (requests: readonly PackedRequest[]) => {
  const message = encodeRequests(requests);
  return { isText: typeof message === 'string', requests: decodeRequests(structuredClone(message)) };
};

describe('requests as text', () => {
  it('come out as they went in', () => {
    const requests: PackedRequest[] = [
      group(['é\ud800"', 1.5, -3, null, true]),
      run,
      { id: 9, type: 'close' },
    ];
    expect(cross(requests)).toEqual({ isText: true, requests });
  });

  it('keep every digit of an integer', () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (value) => {
        const { isText, requests } = cross([group([value])]);
        const [request] = requests;
        const received = request?.type === 'group' ? request.statements[0]?.[2][0] : undefined;
        expect(isText).toBe(true);
        expect(BigInt(received as number | bigint)).toBe(value);
      }),
    );
  });

  it('cross as they are when a text cannot hold them', () => {
    const requests = [group([new Uint8Array([1, 2])]), group([Number.NaN])];
    expect(cross(requests)).toEqual({ isText: false, requests });
  });
});

describe('replies as text', () => {
  const committed = (id: number, rows: readonly Record<string, unknown>[] = []): SqliteReply => ({
    id,
    outcome: { type: 'committed', results: [{ rowCount: 2, rows, insertId: undefined }] },
  });

  it('come out as they went in', () => {
    const replies = [committed(1), committed(2)];
    const message = encodeReplies(replies);
    expect(typeof message).toBe('string');
    expect(decodeReplies(message)).toEqual(replies);
  });

  it('cross as they are when one holds rows or says no', () => {
    const refused: SqliteReply = { id: 4, outcome: { type: 'refused', statementIndex: 0 } };
    for (const other of [committed(3, [{ n: 1 }]), refused]) {
      const replies = [committed(1), other];
      expect(decodeReplies(structuredClone(encodeReplies(replies)))).toEqual(replies);
    }
  });
});
