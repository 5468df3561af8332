import { expect, it } from 'vitest';
import { createLogger } from './logger.ts';

function logLine(fields: object): Record<string, unknown> {
  const lines: string[] = [];
  const logger = createLogger('info', { write: (line) => void lines.push(line) });
  logger.info(fields, 'something happened');
  return JSON.parse(lines.join(''));
}

it('fields that hold secrets are hidden, down to the third level and in lists', () => {
  const fields = {
    password: 'a',
    request: { headers: { authorization: 'b' }, method: 'GET' },
    callers: [{ token: 'c', name: 'd' }],
    outer: { middle: { text: 'e', count: 2 } },
  };
  const line = logLine(fields);
  expect(line).toMatchObject({
    password: '[redacted]',
    request: { headers: '[redacted]', method: 'GET' },
    callers: [{ token: '[redacted]', name: 'd' }],
    outer: { middle: { text: '[redacted]', count: 2 } },
    msg: 'something happened',
  });
  expect(fields.outer.middle.text, 'what was given to the log is left as it was').toBe('e');
});

it('an error is written as its kind, text, code and causes, without what others hung on it', () => {
  const cause = Object.assign(new Error('the disk is full'), { code: 'ENOSPC', body: 'what people said' });
  const line = logLine({ err: new Error('the answer was not kept', { cause }) });
  expect(line).toMatchObject({
    err: {
      type: 'Error',
      message: 'the answer was not kept',
      cause: { type: 'Error', message: 'the disk is full', code: 'ENOSPC' },
    },
  });
  expect(JSON.stringify(line)).not.toContain('what people said');
});
