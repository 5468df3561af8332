/** One function per figure of the engine table. Each returns numbers, larger or smaller as the name says. */
import type { Generated, RunningEngine } from './engine-subject.ts';
import { createEndlessPrompt, createFreshPrompt, jsonPrompt, longJsonSchema } from './prompts.ts';

const firstTokenMs = (generated: Generated) => (generated.outputAt[0] ?? Number.NaN) - generated.sentAt;

/** Tokens per second after the first, so that the prompt's computation does not count. */
function decodeRate(generated: Generated): number {
  const [first = Number.NaN] = generated.outputAt;
  const last = generated.outputAt.at(-1) ?? Number.NaN;
  return ((generated.completionTokens - 1) * 1_000) / (last - first);
}

export async function measureOneStream(engine: RunningEngine): Promise<number> {
  return decodeRate(await engine.generate({ prompt: createEndlessPrompt(0), tokensMax: 160 }));
}

export async function measureLogprobs(engine: RunningEngine): Promise<number> {
  const generation = { prompt: createEndlessPrompt(0), tokensMax: 96, topLogprobs: 5 };
  return decodeRate(await engine.generate(generation));
}

const streamTokens = 96;
/** With less of an answer than this, the time in which all streams ran is too short to tell. */
const streamTokensMin = 64;
const streamAttempts = 5;

/** Now and then the model ends its list of numbers early; undefined when some answer did so in every attempt. */
async function generateStreams(engine: RunningEngine, streams: number): Promise<Generated[] | undefined> {
  for (let attempt = 1; attempt <= streamAttempts; attempt++) {
    const answers = await Promise.all(
      Array.from({ length: streams }, (_, stream) =>
        engine.generate({ prompt: createEndlessPrompt(stream), tokensMax: streamTokens }),
      ),
    );
    if (answers.every(({ completionTokens }) => completionTokens >= streamTokensMin)) return answers;
  }
  return undefined;
}

/** Tokens per second of all streams together, from the moment when the last one has begun to when the first ends. */
export async function measureStreams(engine: RunningEngine, streams: number): Promise<number | undefined> {
  const answers = await generateStreams(engine, streams);
  if (answers === undefined) return undefined;
  const begin = Math.max(...answers.map(({ outputAt }) => outputAt[0] ?? Number.NaN));
  const end = Math.min(...answers.map(({ outputAt }) => outputAt.at(-1) ?? Number.NaN));
  const tokens = answers.map(({ outputAt, completionTokens }) => {
    const share = outputAt.filter((at) => at > begin && at <= end).length / outputAt.length;
    return share * completionTokens;
  });
  return (tokens.reduce((total, value) => total + value, 0) * 1_000) / (end - begin);
}

/** Prompt tokens per second. */
export async function measurePrefill(engine: RunningEngine, tokens: number): Promise<number> {
  const generated = await engine.generate({ prompt: createFreshPrompt(tokens), tokensMax: 1 });
  return (generated.promptTokens * 1_000) / firstTokenMs(generated);
}

/** Milliseconds to the first token of a 2,000-token prompt: never seen, and seen but for its last 20 tokens. */
export async function measureFirstToken(
  engine: RunningEngine,
): Promise<{ coldMs: number; hotMs: number; prompt: string }> {
  const prompt = createFreshPrompt(1_980);
  const cold = await engine.generate({ prompt: `${prompt} ${createFreshPrompt(20)}`, tokensMax: 1 });
  const hot = await engine.generate({ prompt: `${prompt} ${createFreshPrompt(20)}`, tokensMax: 1 });
  return { coldMs: firstTokenMs(cold), hotMs: firstTokenMs(hot), prompt };
}

/** The worst first token of eight requests that come together and share a prefix that was just computed. */
export async function measureSharedPrefix(engine: RunningEngine, prefix: string): Promise<number> {
  const answers = await Promise.all(
    Array.from({ length: 8 }, () =>
      engine.generate({ prompt: `${prefix} ${createFreshPrompt(20)}`, tokensMax: 4 }),
    ),
  );
  return Math.max(...answers.map(firstTokenMs));
}

/** Longer than that nobody needs to watch: the silences repeat with every step. */
const stallMsMax = 10_000;

/** The longest silence of a decoding stream while a 3,500-token prompt is computed beside it. */
export async function measureStall(engine: RunningEngine): Promise<number> {
  const controller = new AbortController();
  const { signal } = controller;
  const outputAt: number[] = [];
  const steady = Promise.withResolvers<void>();
  const decoding = engine.generate({
    prompt: createEndlessPrompt(0),
    tokensMax: 400,
    signal,
    onOutput: () => {
      if (outputAt.push(performance.now()) === 20) steady.resolve();
    },
  });
  await Promise.race([steady.promise, decoding]);
  const from = performance.now();
  const timer = setTimeout(() => controller.abort(), stallMsMax);
  const prefill = engine.generate({ prompt: createFreshPrompt(3_500), tokensMax: 1, signal });
  // Whichever ends first ends the time in which both were at work; the other one is of no more use.
  await Promise.race([decoding, prefill]).catch(() => undefined);
  const until = performance.now();
  clearTimeout(timer);
  controller.abort();
  await Promise.allSettled([decoding, prefill]);
  await engine.waitUntilIdle?.();
  const within = [from, ...outputAt.filter((at) => at > from && at <= until), until];
  return Math.max(...within.map((at, index) => at - (within[index - 1] ?? at)));
}

/** Milliseconds from the abort of a 3,500-token prefill until the engine is free again. */
export async function measureAbort(engine: RunningEngine): Promise<number | undefined> {
  if (engine.waitUntilIdle === undefined) return undefined;
  const controller = new AbortController();
  const prompt = createFreshPrompt(3_500);
  const aborted = engine.generate({ prompt, tokensMax: 8, signal: controller.signal }).then(
    () => false,
    () => true,
  );
  await new Promise((resolve) => setTimeout(resolve, 400)); // Well inside the prefill, on any machine.
  const abortedAt = performance.now();
  controller.abort();
  await engine.waitUntilIdle();
  const freeMs = performance.now() - abortedAt;
  if (!(await aborted)) throw new Error('the prompt was computed before it could be aborted');
  return freeMs;
}

/** Constrained tokens per second over free ones, on the same prompt. */
export async function measureConstraint(engine: RunningEngine): Promise<number> {
  const free = decodeRate(await engine.generate({ prompt: jsonPrompt, tokensMax: 128 }));
  const generation = { prompt: 'A JSON array of people:\n', tokensMax: 128, jsonSchema: longJsonSchema };
  return decodeRate(await engine.generate(generation)) / free;
}
