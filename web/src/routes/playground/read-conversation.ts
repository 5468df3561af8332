/** A conversation from outside (the account, a file, a link): checked field by field before anything shows it. */
import * as z from 'zod/mini';
import { type Conversation, settleOpenAnswers } from './conversation.ts';
import { parameters } from './settings.ts';

const text = z.string();
const maybe = <Schema extends z.ZodMiniType>(schema: Schema) => z.optional(schema);

const settingsSchema = z.object({
  model: text,
  systemPrompt: text,
  parameters: z.partialRecord(z.enum(parameters.map(({ name }) => name)), z.number()),
  stop: z.array(text),
  isDeterministic: z.boolean(),
  format: z.enum(['text', 'json_object', 'json_schema']),
  schemaName: text,
  schemaText: text,
  toolsText: text,
  areToolsOn: z.boolean(),
  toolChoice: z.enum(['auto', 'none', 'required']),
  isWebSearchOn: z.boolean(),
});

const nodeBase = { id: text, parentId: maybe(text) };
const count = z.number();

const nodeSchema = z.discriminatedUnion('role', [
  z.object({ ...nodeBase, role: z.literal('user'), text }),
  z.object({
    ...nodeBase,
    role: z.literal('tool'),
    results: z.array(z.object({ callId: text, name: text, content: text })),
  }),
  z.object({
    ...nodeBase,
    role: z.literal('assistant'),
    state: z.enum(['streaming', 'complete', 'stopped', 'failed']),
    text,
    toolCalls: z.array(z.object({ id: text, name: text, argumentsText: text })),
    annotations: z.array(
      z.object({
        type: z.literal('url_citation'),
        url_citation: z.object({ start_index: count, end_index: count, title: text, url: text }),
      }),
    ),
    finishReason: maybe(z.enum(['stop', 'length', 'tool_calls'])),
    failure: maybe(z.object({ code: text, message: text, requestId: maybe(text) })),
    numbers: maybe(
      z.object({ promptTokens: count, cachedTokens: count, completionTokens: count, costUsd: maybe(count) }),
    ),
    firstTokenMs: maybe(count),
    totalMs: maybe(count),
    inferenceId: maybe(text),
    request: z.looseObject({ model: text, messages: z.array(z.unknown()) }),
  }),
]);

const threadSchema = z
  .object({
    settings: settingsSchema,
    nodes: z.record(text, nodeSchema),
    chosen: z.record(text, text),
  })
  .check(z.refine(isForest));

const conversationSchema = z.object({
  version: z.literal(1),
  threads: z.union([z.tuple([threadSchema]), z.tuple([threadSchema, threadSchema])]),
});

const exportSchema = z.object({
  format: z.literal('perigee-conversation'),
  title: text,
  content: conversationSchema,
});

/** Undefined for anything else. */
export function readConversation(value: unknown): Conversation | undefined {
  const { data } = conversationSchema.safeParse(value);
  // The schema checks all that is read; a request's messages are only ever sent and shown as JSON.
  return data === undefined ? undefined : settleOpenAnswers(data as Conversation);
}

/** What `exportConversation` and the server's export write. Undefined for any other file. */
export function readExport(
  fileText: string,
): { readonly title: string; readonly conversation: Conversation } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(fileText);
  } catch {
    // Not even JSON: the caller says that the file is none of ours.
    return undefined;
  }
  const { data } = exportSchema.safeParse(value);
  const conversation = readConversation(data?.content);
  return data === undefined || conversation === undefined ? undefined : { title: data.title, conversation };
}

/** The same form as `GET /api/conversations/{id}/export`. */
export function writeExport(title: string, conversation: Conversation): string {
  return JSON.stringify(
    { format: 'perigee-conversation', version: 1, title, content: conversation },
    null,
    2,
  );
}

/** Every message stands below the one that it names, in no circle: whoever walks the thread comes to an end. */
function isForest({
  nodes,
  chosen,
}: {
  readonly nodes: Readonly<Record<string, { readonly id: string; readonly parentId?: string | undefined }>>;
  readonly chosen: Readonly<Record<string, string>>;
}): boolean {
  const ending = new Set<string>();
  for (const [id, node] of Object.entries(nodes)) {
    if (id === '' || node.id !== id) return false;
    const above = new Set<string>();
    let at: string | undefined = id;
    while (at !== undefined && !ending.has(at)) {
      if (above.has(at)) return false;
      above.add(at);
      at = nodes[at]?.parentId;
    }
    for (const each of above) ending.add(each);
  }
  return Object.entries(chosen).every(([key, id]) => {
    const node = nodes[id];
    return node === undefined || (node.parentId ?? '') === key;
  });
}
