/**
 * Entry of the engine's process, forked by `engine-process.ts`. It reads `ParentMessage`s, answers with
 * `ChildMessage`s and ends when the parent is gone. Native code runs only here: a crash costs the running requests,
 * never the server.
 */
import { compileGrammar } from '../../grammar/compile-grammar.ts';
import { type LoadedEngine, loadEngine } from './load-engine.ts';
import type { ChildMessage, GenerationSpec, ParentMessage, PromptPiece } from './protocol.ts';

const prompts = new Map<number, Int32Array>();
let engine: LoadedEngine | undefined;

function send(message: ChildMessage): void {
  if (process.connected) process.send?.(message);
}

/** Ends at once: exit handlers of native code could wait for threads that are still computing. */
function end(): void {
  process.kill(process.pid, 'SIGKILL');
}

function failFatally(error: unknown): void {
  process.stderr.write(`engine process stops: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
  setImmediate(end);
}

async function load(options: Extract<ParentMessage, { type: 'load' }>['options']): Promise<void> {
  try {
    engine = await loadEngine(options, {
      publish: (events) => send({ type: 'events', events }),
      onFatal: failFatally,
      onPrefixLost: (name) => send({ type: 'prefix-lost', name }),
    });
    send({ type: 'loaded', model: engine.model });
  } catch (error) {
    send({ type: 'load-failed', detail: error instanceof Error ? error.message : String(error) });
  }
}

async function tokenize(promptId: number, pieces: readonly PromptPiece[]): Promise<void> {
  try {
    if (engine === undefined) throw new Error('the model is not loaded');
    const tokens = await engine.vocabulary.tokenizePrompt(pieces);
    if (tokens.length === 0) throw new Error('the prompt is empty');
    prompts.set(promptId, tokens);
    send({ type: 'tokenized', promptId, tokenCount: tokens.length });
  } catch (error) {
    send({ type: 'tokenize-failed', promptId, detail: String(error) });
  }
}

function generate(generationId: number, spec: GenerationSpec): void {
  try {
    const prompt = prompts.get(spec.promptId);
    if (engine === undefined || prompt === undefined) throw new Error('the prompt is not known');
    prompts.delete(spec.promptId);
    const grammar = spec.grammar === undefined ? undefined : compileGrammar(spec.grammar);
    engine.scheduler.submit({ id: generationId, spec, prompt, grammar });
  } catch (error) {
    const event = { type: 'error', reason: 'failed', detail: String(error) } as const;
    send({ type: 'events', events: [{ generationId, event }] });
  }
}

async function pin({ promptId, tenant, name }: Extract<ParentMessage, { type: 'pin' }>): Promise<void> {
  const tokens = prompts.get(promptId);
  prompts.delete(promptId);
  const isStored = tokens !== undefined && (await engine?.spill?.pin(name, { tenant, tokens })) === true;
  send({ type: 'pinned', promptId, name, isStored });
}

async function receive(message: ParentMessage): Promise<void> {
  switch (message.type) {
    case 'load':
      return load(message.options);
    case 'tokenize':
      return tokenize(message.promptId, message.pieces);
    case 'forget':
      prompts.delete(message.promptId);
      return;
    case 'generate':
      return generate(message.generationId, message.spec);
    case 'abort':
      engine?.scheduler.abort(message.generationId);
      return;
    case 'pin':
      return pin(message);
    case 'unpin':
      engine?.spill?.unpin(message.name);
      return;
    case 'stats':
      if (engine !== undefined) {
        send({ type: 'stats', requestId: message.requestId, stats: engine.stats(prompts.size) });
      }
      return;
    case 'close':
      engine?.scheduler.close();
      end();
      return;
    default:
      message satisfies never;
  }
}

// Ctrl+C and service managers signal the whole group; running turns end when the server says so, or is gone.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('disconnect', end);
process.on('message', (message) => {
  // The parent is our own code: the channel carries nothing but ParentMessage.
  receive(message as ParentMessage).catch(failFatally);
});
