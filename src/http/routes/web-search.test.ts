import { describe, expect, it } from 'vitest';
import { storeKinds } from '../../../test/services/test-stores.ts';
import { type ScriptStep, scriptText, scriptToolCalls } from '../../engines/scripted/scripted-engine.ts';
import { ApiError } from '../../errors.ts';
import {
  cachingPage,
  type OpenedSearch,
  openTestSearch,
  pricePage,
} from '../../web-search/__fixtures__/open-test-search.ts';
import { openPlatformApp, type PlatformApp } from '../__fixtures__/open-platform-app.ts';
import { dataOf } from '../__fixtures__/wire.ts';

const builtin = { type: 'builtin_function', function: { name: '$web_search' } };
const weather = { type: 'function', function: { name: 'get_weather', parameters: { type: 'object' } } };
const question = { role: 'user', content: 'What is context caching?' };
const searchCall = (query = 'context caching') => ({
  name: 'web_search',
  argumentsText: JSON.stringify({ query }),
});

interface WireCall {
  readonly id: string;
  readonly function: { readonly name: string; readonly arguments: string };
}

/** Plays one answer after the other. */
function playAnswers(...answers: readonly (readonly ScriptStep[])[]): () => readonly ScriptStep[] {
  let turn = 0;
  return () => answers[turn++] ?? scriptText('no more answers');
}

const echoOf = (message: { readonly tool_calls: readonly WireCall[] }, content?: string) => [
  message,
  ...message.tool_calls.map((call) => ({
    role: 'tool',
    tool_call_id: call.id,
    name: '$web_search',
    content: content ?? JSON.stringify(JSON.parse(call.function.arguments), undefined, 2),
  })),
];

async function searchOnce(app: PlatformApp, fields: Record<string, unknown> = {}, secret = app.key) {
  const answer = await app.chat({ messages: [question], tools: [builtin], ...fields }, secret);
  expect(answer.statusCode).toBe(200);
  return answer.json().choices[0].message;
}

const shownTo = (app: PlatformApp, run: number) => app.engine.runs[run]?.request;
const lastText = (app: PlatformApp, run: number) => shownTo(app, run)?.messages.at(-1)?.text ?? '';

describe.each(storeKinds)('$web_search on %s', (kind) => {
  it('200: searches, hands out an id, and answers from numbered sources that it cites', async () => {
    const search = await openTestSearch([cachingPage, pricePage]);
    const app = await openPlatformApp(kind, {
      openSearch: search.openSearch,
      script: playAnswers(
        scriptToolCalls(searchCall()),
        scriptText('It keeps a prefix ', '[1]. 🚀 See Price list.'),
      ),
    });
    const first = (await app.chat({ messages: [question], tools: [builtin] })).json();
    expect(search.queries).toEqual(['context caching']);
    expect(first.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: '',
        tool_calls: [{ id: 'web_search:0', type: 'function', function: { name: '$web_search' } }],
      },
    });
    const call: WireCall = first.choices[0].message.tool_calls[0];
    const arguments_ = JSON.parse(call.function.arguments);
    expect(arguments_).toEqual({
      search_result: { search_id: expect.stringMatching(/^[0-9a-f]{32}$/) },
      usage: { total_tokens: expect.any(Number) },
    });

    const messages = [question, ...echoOf(first.choices[0].message)];
    const second = (await app.chat({ messages, tools: [builtin] })).json();
    const text = lastText(app, 1);
    expect(text).toContain(
      '[1] Context caching explained\nhttps://docs.example/caching\n> Context caching keeps',
    );
    expect(text).toContain('[2] Price list');
    // The scripted engine's tokens are words.
    expect(arguments_.usage.total_tokens).toBe(text.split(/\s+/).length);
    expect(shownTo(app, 1)?.messages[1]).toMatchObject({
      toolCalls: [{ name: 'web_search', argumentsText: '{"query":"context caching"}' }],
    });
    expect(second.choices[0].message.annotations).toEqual([
      {
        type: 'url_citation',
        url_citation: { start_index: 18, end_index: 21, title: cachingPage.title, url: cachingPage.url },
      },
      {
        type: 'url_citation',
        url_citation: { start_index: 29, end_index: 39, title: pricePage.title, url: pricePage.url },
      },
    ]);
  });

  it('charges the fee on the answer that ends with the call, and counts it in the usage log', async () => {
    const search = await openTestSearch([cachingPage]);
    const app = await openPlatformApp(kind, {
      openSearch: search.openSearch,
      script: playAnswers(scriptToolCalls(searchCall()), scriptText('Yes.')),
    });
    const first = await app.chat({ messages: [question], tools: [builtin] });
    const second = await app.chat({
      messages: [question, ...echoOf(first.json().choices[0].message)],
      tools: [builtin],
    });
    const spent = [first, second].map((answer) => answer.json().meta.usage.usd_spent);
    // Both turns have ten prompt tokens; the first one token of output, as the second.
    expect(spent[0] - spent[1]).toBeCloseTo(0.004, 9);
    const rows = await app.store.db
      .selectFrom('usage_requests')
      .select('web_searches')
      .orderBy('created_at')
      .execute();
    expect(rows.map((row) => row.web_searches).sort()).toEqual([0, 1]);
  });

  it('400: refuses ids that are unknown, expired or another account’s, with one text', async () => {
    const search = await openTestSearch([cachingPage]);
    const app = await openPlatformApp(kind, {
      openSearch: search.openSearch,
      script: () => scriptToolCalls(searchCall()),
    });
    const message = await searchOnce(app);
    const messages = [question, ...echoOf(message)];
    const foreign = await app.chat({ messages, tools: [builtin] }, await app.addStranger());
    expect(foreign.statusCode).toBe(400);
    expect(foreign.json().error).toMatchObject({ code: 'search_not_found', param: 'messages[2].content' });
    const unknown = await app.chat({
      messages: [question, ...echoOf(message, `{"search_result":{"search_id":"${'0'.repeat(32)}"}}`)],
    });
    expect(unknown.json().error.code).toBe('search_not_found');
    app.setNow(Date.UTC(2026, 0, 2, 4, 4, 6));
    expect((await app.chat({ messages, tools: [builtin] })).json().error.code).toBe('search_not_found');
    app.setNow(Date.UTC(2026, 0, 2, 3, 30, 0));
    expect((await app.chat({ messages, tools: [builtin] })).statusCode).toBe(200);
  });
});

const openSearching = async (
  search: OpenedSearch,
  script: () => readonly ScriptStep[],
): Promise<PlatformApp> => await openPlatformApp('sqlite', { openSearch: search.openSearch, script });

describe('$web_search', () => {
  it('streams the same call and the same citations', async () => {
    const search = await openTestSearch([cachingPage]);
    const app = await openSearching(
      search,
      playAnswers(scriptToolCalls(searchCall()), scriptToolCalls(searchCall()), scriptText('Cheaper [1].')),
    );
    const message = await searchOnce(app);
    const streamed = dataOf((await app.chat({ messages: [question], tools: [builtin], stream: true })).body);
    const deltas = streamed.flatMap((chunk) =>
      (chunk.choices as { delta: Record<string, unknown> }[]).map(({ delta }) => delta),
    );
    const calls = deltas.flatMap(({ tool_calls }) => (tool_calls as WireCall[] | undefined) ?? []);
    expect(calls[0]).toMatchObject({ index: 0, id: 'web_search:0', function: { name: '$web_search' } });
    expect(JSON.parse(calls.map((call) => call.function.arguments).join(''))).toHaveProperty(
      'search_result.search_id',
    );
    const answer = await app.chat({
      messages: [question, ...echoOf(message)],
      tools: [builtin],
      stream: true,
    });
    const last = dataOf(answer.body).at(-1)?.choices as { delta: unknown; finish_reason: string }[];
    expect(last[0]).toMatchObject({
      finish_reason: 'stop',
      delta: { annotations: [{ url_citation: { start_index: 8, end_index: 11, url: cachingPage.url } }] },
    });
  });

  it.each([
    ['encoded twice', (text: string) => JSON.stringify(text)],
    ['with other spaces', (text: string) => JSON.stringify(JSON.parse(text), undefined, 4)],
    ['with escapes', (text: string) => text.replace('search_id', 's\\u0065arch_id')],
  ])('understands an echo %s, and without a name', async (_, reserialise) => {
    const search = await openTestSearch([cachingPage]);
    const app = await openSearching(search, playAnswers(scriptToolCalls(searchCall()), scriptText('Yes.')));
    const message = await searchOnce(app);
    const [assistant, { name: _name, ...echo }] = echoOf(
      message,
      reserialise(message.tool_calls[0].function.arguments),
    ) as [{ tool_calls: WireCall[] }, Record<string, unknown>];
    const asBuiltin = assistant.tool_calls.map((call) => ({ ...call, type: 'builtin_function' }));
    const answer = await app.chat({ messages: [question, { ...assistant, tool_calls: asBuiltin }, echo] });
    expect(answer.statusCode).toBe(200);
    expect(lastText(app, 1)).toContain(cachingPage.url);
  });

  it('400: says what an answer to its call must hold', async () => {
    const search = await openTestSearch([cachingPage]);
    const app = await openSearching(search, () => scriptToolCalls(searchCall()));
    const message = await searchOnce(app);
    const answer = await app.chat({ messages: [question, ...echoOf(message, 'I searched myself')] });
    expect(answer.statusCode).toBe(400);
    expect(answer.json().error).toMatchObject({ code: 'invalid_request', param: 'messages[2].content' });
  });

  it('leaves the caller’s own calls beside it, in order', async () => {
    const search = await openTestSearch([cachingPage]);
    const calls = [
      { name: 'get_weather', argumentsText: '{}' },
      searchCall(),
      { name: 'get_weather', argumentsText: '{"a":1}' },
    ];
    const app = await openSearching(search, () => scriptToolCalls(...calls));
    const message = await searchOnce(app, { tools: [weather, builtin] });
    expect(message.tool_calls.map((call: WireCall) => call.function.name)).toEqual([
      'get_weather',
      '$web_search',
      'get_weather',
    ]);
    expect(message.tool_calls[2].function.arguments).toBe('{"a":1}');
  });

  it('makes several searches of one answer, each once, and no more than are left', async () => {
    const search = await openTestSearch([cachingPage]);
    const app = await openSearching(search, () =>
      scriptToolCalls(searchCall('a'), searchCall('a'), searchCall('b'), searchCall('c'), searchCall('d')),
    );
    const message = await searchOnce(app);
    expect(search.queries.sort()).toEqual(['a', 'b', 'c']);
    expect(message.tool_calls).toHaveLength(3);
    // All three searches of the question are made: the model has to answer.
    await app.chat({ messages: [question, ...echoOf(message)], tools: [builtin] });
    expect(shownTo(app, 1)).toMatchObject({ tools: [], toolChoice: { type: 'none' } });
    const demanded = await app.chat({
      messages: [question, ...echoOf(message)],
      tools: [builtin],
      tool_choice: 'required',
    });
    expect(demanded.json().error).toMatchObject({ code: 'invalid_request', param: 'tool_choice' });
  });

  it('shows the sources of one search once, however often its id is sent back', async () => {
    const search = await openTestSearch([cachingPage]);
    const app = await openSearching(
      search,
      playAnswers(scriptToolCalls(searchCall()), scriptText('See Context caching explained.')),
    );
    const echo = echoOf(await searchOnce(app));
    const messages = [question, ...echo, ...echo, ...echo];
    const answer = await app.chat({ messages, tools: [builtin] });
    const texts = shownTo(app, 1)?.messages.map(({ text }) => text) ?? [];
    expect(texts.filter((text) => text.includes(cachingPage.text))).toHaveLength(1);
    expect(texts.at(-1)).toContain('stand above');
    expect(answer.json().choices[0].message.annotations).toHaveLength(1);
  });

  it('keeps and weighs only the ends of a question that is as long as a book', async () => {
    const search = await openTestSearch([cachingPage]);
    const app = await openSearching(search, () => scriptToolCalls(searchCall()));
    const book = Array.from({ length: 60_000 }, (_, word) => `word${word}`).join(' ');
    await searchOnce(app, { messages: [{ role: 'user', content: `${book} What is context caching?` }] });
    const [row] = await app.store.db.selectFrom('web_searches').select('content').execute();
    const { question: kept, sources } = JSON.parse(row?.content ?? '{}');
    expect(kept).toMatch(/^word0 word1 .* What is context caching\?$/);
    expect(kept.length).toBeLessThan(2_100);
    expect(sources[0].excerpts[0].text).toBe(cachingPage.text);
  });

  it('respects tool_choice', async () => {
    const search = await openTestSearch([cachingPage]);
    const app = await openSearching(search, () => scriptText('Yes.'));
    const ask = (tool_choice: unknown) =>
      app.chat({ messages: [question], tools: [weather, builtin], tool_choice });
    await ask('none');
    await ask('required');
    await ask({ type: 'builtin_function', function: { name: '$web_search' } });
    await ask({ type: 'function', function: { name: 'get_weather' } });
    expect(
      [0, 1, 2, 3].map((run) => [
        shownTo(app, run)?.toolChoice,
        shownTo(app, run)?.tools.map(({ name }) => name),
      ]),
    ).toEqual([
      [{ type: 'none' }, ['get_weather']],
      [{ type: 'required' }, ['get_weather', 'web_search']],
      [{ type: 'named', name: 'web_search' }, ['get_weather', 'web_search']],
      [{ type: 'named', name: 'get_weather' }, ['get_weather']],
    ]);
  });

  it('goes on without sources, and without a fee, when no search service answers', async () => {
    const search = await openTestSearch([cachingPage]);
    search.setStatus(503);
    const app = await openSearching(
      search,
      playAnswers(scriptToolCalls(searchCall()), scriptText('I do not know.')),
    );
    const message = await searchOnce(app);
    const answer = await app.chat({ messages: [question, ...echoOf(message)], tools: [builtin] });
    expect(answer.json().choices[0].message).toMatchObject({ content: 'I do not know.', annotations: null });
    expect(lastText(app, 1)).toContain('failed');
    const rows = await app.store.db.selectFrom('usage_requests').select('web_searches').execute();
    expect(rows).toEqual([{ web_searches: 0 }, { web_searches: 0 }]);
  });

  it('charges nothing when the engine fails after the search was made', async () => {
    const search = await openTestSearch([cachingPage]);
    const steps = scriptToolCalls(searchCall());
    const broken: ScriptStep[] = [
      ...steps.slice(0, -1),
      { type: 'fail', error: new ApiError('engine_failed') },
    ];
    const app = await openSearching(search, () => broken);
    const balance = async () =>
      (await app.store.db.selectFrom('balances').selectAll().executeTakeFirstOrThrow()).balance_nano_usd;
    const before = await balance();
    const answer = await app.chat({ messages: [question], tools: [builtin] });
    expect(answer.statusCode).toBe(500);
    expect(search.queries).toHaveLength(1);
    expect(await balance()).toBe(before);
  });

  it('502: lets no call out whose tool was not declared', async () => {
    const search = await openTestSearch([cachingPage]);
    const app = await openSearching(
      search,
      playAnswers(
        scriptToolCalls(searchCall()),
        scriptToolCalls({ name: 'delete_files', argumentsText: '{}' }),
      ),
    );
    const message = await searchOnce(app);
    const answer = await app.chat({ messages: [question, ...echoOf(message)], tools: [builtin] });
    expect(answer.statusCode).toBe(502);
    expect(answer.json().error.code).toBe('unexpected_output');
  });

  it('keeps the caller’s tools out of the turn that reads sources where the operator says so', async () => {
    const search = await openTestSearch([cachingPage], { policy: { allowsToolsAfterSearch: false } });
    const app = await openSearching(search, playAnswers(scriptToolCalls(searchCall()), scriptText('Yes.')));
    const message = await searchOnce(app, { tools: [weather, builtin] });
    await app.chat({ messages: [question, ...echoOf(message)], tools: [weather, builtin] });
    expect(shownTo(app, 1)?.tools.map(({ name }) => name)).toEqual(['web_search']);
  });

  it('searches every question first where the operator says so', async () => {
    const search = await openTestSearch([cachingPage], { policy: { policy: 'always' } });
    const app = await openSearching(search, () => scriptToolCalls(searchCall()));
    await searchOnce(app, { tools: [weather, builtin] });
    expect(shownTo(app, 0)?.toolChoice).toEqual({ type: 'named', name: 'web_search' });
  });

  it('403: is open to keys with its scope only', async () => {
    const search = await openTestSearch([cachingPage]);
    const app = await openPlatformApp('sqlite', {
      openSearch: search.openSearch,
      script: () => scriptText('Hi'),
    });
    await app.store.db
      .updateTable('api_keys')
      .set({ scopes: '["chat"]' })
      .where('kind', '=', 'regular')
      .execute();
    expect((await app.chat({ messages: [question] })).statusCode).toBe(200);
    const refused = await app.chat({ messages: [question], tools: [builtin] });
    expect(refused.statusCode).toBe(403);
    expect(refused.json().error.code).toBe('scope_denied');
  });

  it('counts a conversation as it will be read, and refuses ids that lead nowhere before that', async () => {
    const search = await openTestSearch([cachingPage]);
    const app = await openSearching(search, () => scriptToolCalls(searchCall()));
    const message = await searchOnce(app);
    const count = (content?: string) => {
      const messages = [question, ...echoOf(message, content)];
      const payload = { model: 'kimi-k2-turbo', messages, tools: [builtin] };
      return app.send({ method: 'POST', url: '/v1/tokenizers/estimate-token-count', payload });
    };
    expect((await count()).statusCode).toBe(200);
    // The sources are put in before anything is counted, so that an id without any is noticed.
    const unknown = await count(`{"search_result":{"search_id":"${'0'.repeat(32)}"}}`);
    expect(unknown.json().error.code).toBe('search_not_found');
  });
});
