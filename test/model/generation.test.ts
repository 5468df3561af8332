/** The embedded engine's child process with the real model: what it generates, shares and forgets. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type HostSession, startHost } from './host-session.ts';

// Loading and decoding take their time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

/** About 170 tokens, different from the first word on for each subject. */
const essay = (subject: string) =>
  `${subject} is the subject. ${'The river runs through the old town. '.repeat(20)}`;

let host: HostSession;
beforeAll(async () => {
  host = await startHost();
});
afterAll(() => host.supervisor.close());

describe('generation', () => {
  it('answers from the model and counts what it did', async () => {
    const { texts, events, promptTokens } = await host.ask('What is the capital of France?', {
      outputTokensMax: 12,
    });
    expect(texts[0]).toMatch(/Paris/);
    expect(promptTokens).toBeGreaterThan(10);
    expect(events.at(0)).toMatchObject({ type: 'prefill' });
    expect(events.at(-2)).toMatchObject({ type: 'choice-end', choice: 0 });
    expect(events.at(-1)).toMatchObject({ type: 'end', promptTokens });
  });

  it('ends at the token limit with `length`, and at the model’s own end with `stop`', async () => {
    const short = await host.ask('Tell me a long story.', { outputTokensMax: 3 });
    expect(short.events.at(-2)).toMatchObject({ reason: 'length', completionTokens: 3 });
    const whole = await host.ask('What is 2+2? Answer with one number.', { outputTokensMax: 200 });
    expect(whole.events.at(-2)).toMatchObject({ reason: 'stop' });
    expect(whole.texts[0]).not.toContain('<|im_end|>');
  });

  it('does not read control tokens out of what a caller wrote', async () => {
    const count = async (text: string, isControl: boolean) => {
      const { promptId, tokenCount } = await host.supervisor.tokenize([{ text, isControl }]);
      host.supervisor.forget(promptId);
      return tokenCount;
    };
    expect(await count('<|im_end|>', true)).toBe(1);
    expect(await count('<|im_end|>', false)).toBeGreaterThan(3);
  });

  it('constrains by a grammar', async () => {
    const schema = {
      type: 'object',
      properties: { city: { enum: ['Paris', 'Rome'] } },
      required: ['city'],
      additionalProperties: false,
    };
    const { texts, events } = await host.ask('Where is the Eiffel tower?', {
      outputTokensMax: 40,
      grammar: { type: 'json-schema', schema },
    });
    expect(['Paris', 'Rome']).toContain(JSON.parse(texts[0] ?? '').city);
    expect(events.at(-2)).toMatchObject({ reason: 'stop', isConstraintUnfinished: false });
  });

  it('refuses a generation that cannot fit the window', async () => {
    await expect(host.ask('Hello', { outputTokensMax: 5000 })).rejects.toThrow(/exceed/);
  });
});

describe('prefix cache', () => {
  it('computes a prompt once and reports the rest as cached', async () => {
    const first = await host.ask(essay('Cache'));
    const second = await host.ask(essay('Cache'));
    expect(first.cachedTokens).toBeLessThan(20);
    expect(second.cachedTokens).toBe(second.promptTokens - 1);
    expect(second.texts).toEqual(first.texts);
  });

  it('never shares between tenants', async () => {
    await host.ask(essay('Tenant'), { tenant: 'a' });
    expect((await host.ask(essay('Tenant'), { tenant: 'b' })).cachedTokens).toBe(0);
  });

  it('computes a prompt once for all choices', async () => {
    const before = await host.stats();
    const choices = [0, 1, 2].map((choice) => ({ choice, seed: choice }));
    const answer = await host.ask(essay('Choices'), { choices, temperature: 1 });
    const after = await host.stats();
    expect(answer.texts).toHaveLength(3);
    expect(new Set(answer.texts).size).toBeGreaterThan(1);
    expect(after.prefilledTokensTotal - before.prefilledTokensTotal).toBeLessThanOrEqual(answer.promptTokens);
  });

  it('computes a prompt once for requests that come at the same time', async () => {
    const before = await host.stats();
    const answers = await Promise.all([1, 2, 3, 4].map((seed) => host.ask(`${essay('Together')} ${seed}`)));
    const after = await host.stats();
    const prompts = answers.map(({ promptTokens }) => promptTokens);
    const computed = after.prefilledTokensTotal - before.prefilledTokensTotal;
    expect(computed).toBeLessThan(1.5 * Math.max(...prompts));
    expect(answers.filter(({ cachedTokens }) => cachedTokens > 100)).toHaveLength(3);
  });

  it('gives the same text with a prefix from the cache as without', async () => {
    const warm = await host.ask(`${essay('Warm')} Continue.`, { isDeterministic: true, outputTokensMax: 12 });
    const reused = await host.ask(`${essay('Warm')} Continue.`, {
      isDeterministic: true,
      outputTokensMax: 12,
    });
    expect(reused.cachedTokens).toBeGreaterThan(0);
    expect(reused.cachedTokens % 64).toBe(0);
    expect(reused.texts).toEqual(warm.texts);
  });
});

describe('deterministic mode', () => {
  it('gives the same text for the same seed, whatever runs beside it', async () => {
    const spec = { isDeterministic: true, temperature: 1, outputTokensMax: 16 };
    const alone = await host.ask(essay('Dice'), spec);
    const [beside] = await Promise.all([
      host.ask(essay('Dice'), spec),
      host.ask(essay('Noise')),
      host.ask('Noise?', { outputTokensMax: 30 }),
    ]);
    expect(beside.texts).toEqual(alone.texts);
  });
});

describe('abort', () => {
  it('stops a prompt in the middle, frees its place and keeps what was computed', async () => {
    const controller = new AbortController();
    const text = `Abort. ${'A long prompt about many different things. '.repeat(350)}`;
    const stream = await host.begin(text, {}, controller.signal);
    for await (const event of stream) {
      expect(event.type).toBe('prefill');
      break;
    }
    await expect.poll(async () => (await host.stats()).runningSequences, { timeout: 10_000 }).toBe(0);
    const stats = await host.stats();
    expect(stats.heldPrompts).toBe(0);
    expect(stats.kvCellsUsed).toBeLessThanOrEqual(stats.kvCells);
    expect((await host.ask('Still there?')).texts[0]).toMatch(/\S/);
  });
});
