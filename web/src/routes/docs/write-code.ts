/** The exact request as a program: Python and JavaScript with OpenAI's clients, and curl. */
import type { ChatRequestBody } from '../../api/wire-types.ts';

export const codeLanguages = ['python', 'javascript', 'curl'] as const;
export type CodeLanguage = (typeof codeLanguages)[number];

export const languageNames: Readonly<Record<CodeLanguage, string>> = {
  python: 'Python',
  javascript: 'JavaScript',
  curl: 'curl',
};

export interface CodeOptions {
  /** With `/v1`. */
  readonly baseUrl: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The secret itself, or undefined for the variable `PERIGEE_API_KEY`. */
  readonly apiKey?: string | undefined;
}

/** A program that sends `body` and prints the answer, streamed when the body says so. */
export function writeCode(language: CodeLanguage, body: ChatRequestBody, options: CodeOptions): string {
  switch (language) {
    case 'python':
      return writePython(body, options);
    case 'javascript':
      return writeJavaScript(body, options);
    case 'curl':
      return writeCurl(body, options);
    default:
      return language satisfies never;
  }
}

function writePython(body: ChatRequestBody, { baseUrl, headers = {}, apiKey }: CodeOptions): string {
  const fields = Object.entries(body).map(([name, value]) => `    ${name}=${toPython(value, 1)},`);
  const extra = Object.keys(headers).length === 0 ? [] : [`    extra_headers=${toPython(headers, 1)},`];
  const key = apiKey === undefined ? 'os.environ["PERIGEE_API_KEY"]' : JSON.stringify(apiKey);
  const reading = readInPython(body);
  return [
    ...(apiKey === undefined ? ['import os', ''] : []),
    'from openai import OpenAI',
    '',
    `client = OpenAI(base_url=${JSON.stringify(baseUrl)}, api_key=${key})`,
    '',
    'response = client.chat.completions.create(',
    ...fields,
    ...extra,
    ')',
    ...reading,
    '',
  ].join('\n');
}

/** Calls of tools are no text: then the whole message is printed. */
const hasTools = ({ tools }: ChatRequestBody): boolean => (tools?.length ?? 0) > 0;

function readInPython(body: ChatRequestBody): readonly string[] {
  const message = 'response.choices[0].message';
  if (!body.stream)
    return [`print(${hasTools(body) ? `${message}.model_dump_json(indent=2)` : `${message}.content`})`];
  return [
    'for chunk in response:',
    '    for choice in chunk.choices:',
    hasTools(body)
      ? '        print(choice.delta.model_dump_json(exclude_none=True))'
      : '        print(choice.delta.content or "", end="", flush=True)',
    ...(hasTools(body) ? [] : ['print()']),
  ];
}

function readInJavaScript(body: ChatRequestBody): readonly string[] {
  const message = 'response.choices[0].message';
  if (!body.stream) {
    return [`console.log(${hasTools(body) ? `JSON.stringify(${message}, null, 2)` : `${message}.content`});`];
  }
  return [
    'for await (const chunk of response) {',
    '  for (const choice of chunk.choices) {',
    hasTools(body)
      ? '    console.log(JSON.stringify(choice.delta));'
      : '    process.stdout.write(choice.delta.content ?? "");',
    '  }',
    '}',
    ...(hasTools(body) ? [] : ['console.log();']),
  ];
}

function writeJavaScript(body: ChatRequestBody, { baseUrl, headers = {}, apiKey }: CodeOptions): string {
  const request = JSON.stringify(body, null, 2).replace(/^( *)"([A-Za-z_]\w*)":/gm, '$1$2:');
  const extra = Object.keys(headers).length === 0 ? '' : `, { headers: ${JSON.stringify(headers)} }`;
  const key = apiKey === undefined ? 'process.env.PERIGEE_API_KEY' : JSON.stringify(apiKey);
  const reading = readInJavaScript(body);
  return [
    'import OpenAI from "openai";',
    '',
    `const client = new OpenAI({ baseURL: ${JSON.stringify(baseUrl)}, apiKey: ${key} });`,
    '',
    `const response = await client.chat.completions.create(${request}${extra});`,
    ...reading,
    '',
  ].join('\n');
}

function writeCurl(body: ChatRequestBody, { baseUrl, headers = {}, apiKey }: CodeOptions): string {
  const key = apiKey ?? '$PERIGEE_API_KEY';
  const lines = [
    `curl ${body.stream ? '-N ' : ''}${baseUrl}/chat/completions`,
    `-H "Authorization: Bearer ${key}"`,
    '-H "Content-Type: application/json"',
    ...Object.entries(headers).map(([name, value]) => `-H "${name}: ${value}"`),
    `-d ${quoteForShell(JSON.stringify(body, null, 2))}`,
  ];
  return `${lines.join(' \\\n  ')}\n`;
}

/** In single quotes nothing is special but the quote itself. */
const quoteForShell = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A JSON value as a Python literal, indented to `depth` levels of four spaces. */
function toPython(value: unknown, depth: number): string {
  const inner = '    '.repeat(depth + 1);
  const outer = '    '.repeat(depth);
  if (value === null || value === undefined) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return `[\n${value.map((each) => `${inner}${toPython(each, depth + 1)},\n`).join('')}${outer}]`;
  }
  if (typeof value === 'object') {
    const entries = Object.entries(value);
    if (entries.length === 0) return '{}';
    const lines = entries.map(
      ([name, each]) => `${inner}${JSON.stringify(name)}: ${toPython(each, depth + 1)},\n`,
    );
    return `{\n${lines.join('')}${outer}}`;
  }
  // JSON's escapes are Python's, but for halves of a surrogate pair, which JSON.stringify writes as \udXXX: Python takes them.
  return JSON.stringify(value);
}
