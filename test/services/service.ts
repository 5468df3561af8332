import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** A server that the tests started and that ends with them. */
export interface Service {
  readonly url: string;
  stop(): Promise<void>;
}

/** Sends the signal and waits for the end. Does nothing when the process has ended already. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

/**
 * Calls `probe` until it resolves. Rejects when the child ends first, with what it wrote, or after the deadline.
 */
export async function waitUntilReady(
  child: ChildProcess,
  probe: () => Promise<unknown>,
  options: { readonly name: string; readonly output: () => string; readonly timeoutMs: number },
): Promise<void> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    try {
      await probe();
      return;
    } catch (thrown) {
      if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadline) {
        throw new Error(`${options.name} did not start:\n${options.output()}`, { cause: thrown });
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
