import { expect, it } from 'vitest';
import { createUploadSlots } from './upload-slots.ts';

it('leaves room for others when one account takes all that it may', () => {
  const slots = createUploadSlots({ uploadsMax: 4, perAccountMax: 3 });
  const own = [1, 2, 3].map(() => slots.take(1));
  expect(() => slots.take(1)).toThrow(expect.objectContaining({ code: 'rate_limit_reached' }));
  const other = slots.take(2);
  expect(() => slots.take(3)).toThrow(expect.objectContaining({ code: 'rate_limit_reached' }));
  // Given back twice is given back once.
  own[0]?.();
  own[0]?.();
  slots.take(1);
  expect(() => slots.take(1)).toThrow(expect.objectContaining({ code: 'rate_limit_reached' }));
  other();
  slots.take(3);
});
