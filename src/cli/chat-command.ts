import type { Command } from 'commander';
import { createParser } from 'eventsource-parser';
import { Agent, type Dispatcher, request } from 'undici';
import { z } from 'zod';
import { parseJson } from '../parse-json.ts';
import type { Config } from '../settings.ts';
import { addSettingFlags, readConfig } from './setting-flags.ts';
import { CommandError, type Terminal } from './terminal.ts';

const modelListSchema = z.object({ data: z.array(z.object({ id: z.string() })).min(1) });
const chunkSchema = z.object({
  error: z.object({ message: z.string() }).optional(),
  choices: z.array(z.object({ delta: z.object({ content: z.string().nullish() }).optional() })).optional(),
});
const errorSchema = z.object({ error: z.object({ message: z.string() }) });

/** `perigee chat "text"`: asks the running server over HTTP, as any client does, and streams the answer. */
export function addChatCommand(program: Command, terminal: Terminal): void {
  addSettingFlags(program.command('chat <text>'), ['everywhere', 'address', 'chat'])
    .description('Send one message to the running server and print the answer as it comes.')
    .action(async (text: string, _options: object, command: Command) => {
      await chat(text, readConfig(command, terminal), terminal);
    });
}

async function chat(text: string, config: Config, terminal: Terminal): Promise<void> {
  if (config.apiKey === undefined) {
    throw new CommandError(
      'perigee chat needs an API key: set PERIGEE_API_KEY or pass --api-key. The first `perigee serve` prints one; ' +
        '`perigee keys create` makes another.',
    );
  }
  const url = serverUrl(config);
  // A long prompt on a slow machine computes for minutes before its first token.
  const dispatcher = new Agent({
    connect: { timeout: 5_000 },
    headersTimeout: 600_000,
    bodyTimeout: 600_000,
  });
  try {
    const response = await send(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${config.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: await findModel(url, dispatcher),
        messages: [{ role: 'user', content: text }],
        stream: true,
      }),
      dispatcher,
    });
    if (response.statusCode !== 200) throw new CommandError(await readFailure(response));
    await printAnswer(response.body, terminal);
  } finally {
    await dispatcher.destroy();
  }
}

/** The server to talk to, without `/v1`. */
function serverUrl(config: Config): string {
  return config.url === undefined ? localUrl(config) : config.url.replace(/\/(v1\/?)?$/, '');
}

/** Where a server of this configuration answers on this machine. */
export function localUrl(config: Config): string {
  const host = config.host === '0.0.0.0' || config.host === '::' ? '127.0.0.1' : config.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${config.port}`;
}

/** The first name that the server serves: the configuration over there decides, not the one here. */
async function findModel(url: string, dispatcher: Dispatcher): Promise<string> {
  const response = await send(`${url}/v1/models`, { method: 'GET', dispatcher });
  const list = modelListSchema.safeParse(parseJson(await response.body.text()));
  const [model] = list.success ? list.data.data : [];
  if (model === undefined) throw new CommandError(`What answers at ${url} is no Perigee server.`);
  return model.id;
}

interface SendOptions {
  readonly method: 'GET' | 'POST';
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly dispatcher: Dispatcher;
}

async function send(address: string, options: SendOptions): Promise<Dispatcher.ResponseData> {
  try {
    return await request(address, options);
  } catch (error) {
    throw new CommandError(
      `No Perigee server answers at ${new URL(address).origin}. Start it with \`perigee serve\`.`,
      { cause: error },
    );
  }
}

async function readFailure(response: Dispatcher.ResponseData): Promise<string> {
  const body = await response.body.text();
  const { data } = errorSchema.safeParse(parseJson(body));
  return (
    data?.error.message ?? `The server answered with status ${response.statusCode}: ${body.slice(0, 500)}`
  );
}

async function printAnswer(body: Dispatcher.ResponseData['body'], terminal: Terminal): Promise<void> {
  let isComplete = false;
  const parser = createParser({
    onEvent: ({ data }) => {
      if (data === '[DONE]') {
        isComplete = true;
        return;
      }
      const chunk = chunkSchema.parse(JSON.parse(data));
      if (chunk.error !== undefined) throw new CommandError(`\n${chunk.error.message}`);
      const content = chunk.choices?.[0]?.delta?.content;
      if (content) terminal.write(content);
    },
  });
  body.setEncoding('utf8');
  for await (const text of body) parser.feed(String(text));
  terminal.write('\n');
  if (!isComplete) throw new CommandError('The connection ended before the answer did.');
}
