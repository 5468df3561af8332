/**
 * Everything that a search turn meets outside the server, on one loopback port: a SearXNG-shaped service, the pages that
 * it finds, and an upstream model that searches once and then answers at once. No page is found twice, so that no cache helps.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

export interface LoopbackWeb {
  /** `http://127.0.0.1:<port>`: the service is at its root, the model under `/v1`. */
  readonly origin: string;
  close(): void;
}

const resultsPerSearch = 8;
/** About 25 KB of HTML: an article of ordinary length with what sites put around it. */
const paragraphsPerPage = 60;

const sentences = [
  'Context caching keeps the computed prefix of a prompt, so that a later request need not compute it again.',
  'A cache is kept for a time that the caller chooses, and costs something for every minute of it.',
  'The price of a prompt that begins with a cached prefix is a tenth of what it costs without one.',
  'Weather stations of the northern coast measured the wind of the last ten days and found it moderate.',
  'Which requests share a beginning depends on the order in which an application writes its messages.',
];

function writePage(number: string): string {
  const paragraphs = Array.from({ length: paragraphsPerPage }, (_, position) => {
    const about = [0, 1, 2].map((offset) => sentences[(position + offset) % sentences.length]);
    return `<div class="block"><p id="p${position}">Part ${position} of page ${number}. ${about.join(' ')}</p><aside><a href="/other/${position}">Read more</a></aside></div>`;
  });
  return `<!doctype html><html lang="en"><head><title>Context caching, page ${number}</title><meta charset="utf-8"></head><body><nav><ul><li><a href="/">Home</a></li></ul></nav><article><h1>Context caching</h1>${paragraphs.join('\n')}</article><footer>Imprint</footer></body></html>`;
}

export async function startLoopbackWeb(): Promise<LoopbackWeb> {
  let searchCount = 0;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
    if (url.pathname === '/search') {
      searchCount += 1;
      sendJson(response, findPages(url, searchCount));
    } else if (url.pathname.startsWith('/page/')) {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(writePage(url.pathname.slice('/page/'.length)));
    } else if (url.pathname === '/v1/chat/completions') {
      void answerChat(request, response);
    } else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return {
    origin: `http://127.0.0.1:${address.port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function sendJson(response: ServerResponse, value: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function findPages({ origin, searchParams }: URL, search: number): object {
  const results = Array.from({ length: resultsPerSearch }, (_, index) => ({
    url: `${origin}/page/${search}-${index}`,
    title: `Context caching, page ${search}-${index}`,
    content: sentences[index % sentences.length],
    engine: 'bench',
  }));
  return { query: searchParams.get('q'), results, unresponsive_engines: [] };
}

interface UpstreamBody {
  readonly messages: readonly { readonly role: string }[];
  readonly tools?: readonly { readonly function: { readonly name: string } }[];
}

async function answerChat(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { messages, tools = [] }: UpstreamBody = JSON.parse(await text(request));
  const isSearched = messages.some(({ role }) => role === 'tool');
  const [tool] = tools;
  const call = {
    index: 0,
    id: 'call_1',
    type: 'function',
    function: { name: tool?.function.name, arguments: '{"query":"what is context caching"}' },
  };
  const delta =
    isSearched || tool === undefined
      ? { role: 'assistant', content: 'It keeps prefixes [1].' }
      : { role: 'assistant', tool_calls: [call] };
  const reason = 'tool_calls' in delta ? 'tool_calls' : 'stop';
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(encodeChunk({ choices: [{ index: 0, delta, finish_reason: null }] }));
  response.write(encodeChunk({ choices: [{ index: 0, delta: {}, finish_reason: reason }] }));
  const usage = { prompt_tokens: 10, completion_tokens: 8, total_tokens: 18 };
  response.end(`${encodeChunk({ choices: [], usage })}data: [DONE]\n\n`);
}

const encodeChunk = (fields: object) =>
  `data: ${JSON.stringify({ id: 'bench', object: 'chat.completion.chunk', created: 0, model: 'bench', ...fields })}\n\n`;
