/**
 * An upstream model whose answers are known: the browser tests ask it for what no real model says reliably. What it does
 * is chosen by the first word of the last user message.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';

interface UpstreamRequest {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}

export interface ScriptedUpstream {
  /** With `/v1`. */
  readonly baseUrl: string;
  /** Lets answers that are held go on to their end. */
  release(): void;
  close(): void;
}

/** Markup that would run if anything of it became an element, and Markdown that should. */
export const hostileAnswer = [
  '# A heading',
  '<script>window.hacked = "script"</script>',
  '<img src=x onerror="window.hacked = \'img\'">',
  '<iframe srcdoc="<script>parent.hacked = \'frame\'</script>"></iframe>',
  '[a link](javascript:window.hacked="link") and ![a picture](http://127.0.0.1:1/pixel.png)',
  '<style>body { display: none }</style>',
  '| planet | moons |\n| --- | --- |\n| Mars | 2 |',
  '```python\nprint("hello")\n```',
  'Euler: \\(e^{i\\pi} + 1 = 0\\)',
].join('\n\n');

/** What a good answer looks like, for the screenshots. */
const showcaseAnswer = [
  'Overlapping intervals are merged in one pass once they are **sorted by their start**: each one either extends the last or begins a new group.',
  '```python\ndef merge(intervals: list[tuple[int, int]]) -> list[tuple[int, int]]:\n    merged: list[tuple[int, int]] = []\n    for start, end in sorted(intervals):\n        if merged and start <= merged[-1][1]:\n            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))\n        else:\n            merged.append((start, end))\n    return merged\n```',
  '| step | cost |\n| --- | --- |\n| sorting | \\(O(n \\log n)\\) |\n| one pass | \\(O(n)\\) |',
].join('\n\n');

/** A character outside the basic plane stands before the mark, and the mark before the end: neither may shift it. */
const citingAnswer = '🚀 A prefix that comes again is not computed again [1], which the sources say.';

const fixedAnswers: ReadonlyMap<string | undefined, string> = new Map([
  ['hostile', hostileAnswer],
  ['Write', showcaseAnswer],
  ['search', citingAnswer],
]);

export async function startScriptedUpstream(): Promise<ScriptedUpstream> {
  const held = new Set<() => void>();
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method !== 'POST') {
      response.end(JSON.stringify({ object: 'list', data: [] }));
      return;
    }
    const { messages } = (await json(request)) as UpstreamRequest; // Sent by our own engine.
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    await answer(messages, response, held);
  };
  const server: Server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) =>
      response.destroy(error instanceof Error ? error : undefined),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    release() {
      for (const go of held) go();
      held.clear();
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function answer(
  messages: UpstreamRequest['messages'],
  response: ServerResponse,
  held: Set<() => void>,
): Promise<void> {
  const send = (delta: object, finishReason: string | null = null): void => {
    const choice = { index: 0, delta, finish_reason: finishReason };
    response.write(
      `data: ${JSON.stringify({ id: 'u', object: 'chat.completion.chunk', choices: [choice] })}\n\n`,
    );
  };
  const end = (reason: string): void => {
    send({}, reason);
    const usage = { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25 };
    response.end(
      `data: ${JSON.stringify({ id: 'u', object: 'chat.completion.chunk', choices: [], usage })}\n\ndata: [DONE]\n\n`,
    );
  };
  const question = messages.findLast(({ role }) => role === 'user')?.content;
  const word = question?.split(' ')[0];
  const result = messages.at(-1)?.role === 'tool' ? messages.at(-1)?.content : undefined;
  const call = (name: string, args: object): void => {
    const written = { name, arguments: JSON.stringify(args) };
    send({ tool_calls: [{ index: 0, id: `${name}:0`, type: 'function', function: written }] });
    end('tool_calls');
  };
  if (word === 'weather' && result === undefined) {
    call('get_weather', { city: 'Paris' });
  } else if (word === 'search' && result === undefined) {
    call('web_search', { query: question?.slice('search '.length) });
  } else if (word === 'hold') {
    send({ role: 'assistant', content: 'The first half' });
    await new Promise<void>((resolve) => {
      held.add(resolve);
      response.on('close', resolve);
    });
    send({ content: ' and the second.' });
    end('stop');
  } else {
    send({ content: fixedAnswers.get(word) ?? `You said: ${result ?? messages.at(-1)?.content}` });
    end('stop');
  }
}
