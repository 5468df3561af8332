import { describe, expect, it } from 'vitest';
import { createBackendProbe } from './probe-backends.ts';
import { type SearchBackend, SearchBackendError } from './search-backend.ts';

const found = [{ title: 'Perigee', url: 'https://example.org/', snippet: 'near' }];
const good: SearchBackend = { id: 'good', search: async () => found };
const broken: SearchBackend = {
  id: 'broken',
  search: async () => {
    throw new SearchBackendError('broken', 'refused', { detail: 'the key is wrong' });
  },
};
const silent: SearchBackend = {
  id: 'silent',
  search: (_query, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    }),
};

describe('a probe of the search backends', () => {
  it('says of each, in order, what it found or why it did not answer', async () => {
    const probe = createBackendProbe([good, broken, silent], { searchMs: 20 });
    const answers = await probe('perigee', new AbortController().signal);
    expect(answers.map(({ backendId, outcome }) => [backendId, outcome])).toEqual([
      ['good', { isAnswered: true, results: found }],
      ['broken', { isAnswered: false, failure: 'refused', detail: 'broken: the key is wrong' }],
      ['silent', { isAnswered: false, failure: 'timeout', detail: 'no answer within 20 ms' }],
    ]);
  });

  it('ends when the person leaves', async () => {
    const controller = new AbortController();
    const answers = createBackendProbe([silent], { searchMs: 60_000 })('perigee', controller.signal);
    controller.abort(new Error('left'));
    await expect(answers).rejects.toThrow('left');
  });
});
