import { expect, it, onTestFinished, vi } from 'vitest';
import { loadNativeModel } from '../../src/engines/llama/native-context.ts';
import { obtainTestModel } from './test-model.ts';

it('tells of a decode that does not return in three minutes, and of no other', {
  timeout: 120_000,
}, async () => {
  const hangs: string[] = [];
  const { path } = await obtainTestModel();
  const model = await loadNativeModel(path, 1, (error) => hangs.push(error.message));
  const context = model.createContext({ cells: 64, kvType: 'f16', outputsMax: 1, hasFlashAttention: true });
  const decode = (position: number) =>
    context.decode([{ token: 1, position, sequence: 0, needsLogits: true }]);

  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  await expect(decode(0)).resolves.toBe('done');
  vi.advanceTimersByTime(180_000);
  expect(hangs).toEqual([]);

  // To the watchdog three minutes pass before the answer is there.
  const running = decode(1);
  vi.advanceTimersByTime(179_999);
  expect(hangs).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(hangs).toEqual(['llama_decode does not return']);
  await running;
});
