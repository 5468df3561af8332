import { Globe, Wrench } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../components/button.tsx';
import { CodeBlock } from '../../components/code-block.tsx';
import { TextArea } from '../../components/field.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { webSearchName } from './build-request.ts';
import type { AnswerNode, ToolCall, ToolResult } from './conversation.ts';
import { playgroundMessages } from './playground-messages.ts';
import { echoSearches } from './use-playground.ts';

/** The calls of an answer; below the last answer also the fields for what the tools return. */
export function ToolCalls({
  answer,
  onResults,
}: {
  readonly answer: AnswerNode;
  /** Undefined = the results are there already, or cannot be given now. */
  readonly onResults: ((results: readonly ToolResult[]) => void) | undefined;
}) {
  const t = useMessages(playgroundMessages);
  const [texts, setTexts] = useState<Readonly<Record<string, string>>>({});
  const own = answer.toolCalls.filter(({ name }) => name !== webSearchName);
  const send = (): void =>
    onResults?.([
      ...echoSearches(answer),
      ...own.map(({ id, name }) => ({ callId: id, name, content: texts[id] ?? '' })),
    ]);
  return (
    <form
      className="mt-3 flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {answer.toolCalls.map((call) =>
        call.name === webSearchName ? (
          <SearchCall key={call.id} call={call} />
        ) : (
          <div key={call.id} className="rounded-lg border border-line bg-surface">
            <CallHeader call={call} />
            <div className="flex flex-col gap-3 p-3">
              <CodeBlock
                code={formatJson(call.argumentsText)}
                language="json"
                title={t('toolArguments')}
                maxHeight="16rem"
              />
              {onResults !== undefined && answer.state === 'complete' && (
                <TextArea
                  label={t('toolResult', { name: call.name })}
                  hint={t('toolResultHint')}
                  className="max-h-60 font-mono text-xs"
                  value={texts[call.id] ?? ''}
                  onChange={(event) => setTexts({ ...texts, [call.id]: event.target.value })}
                />
              )}
            </div>
          </div>
        ),
      )}
      {onResults !== undefined && own.length > 0 && answer.state === 'complete' && (
        <Button type="submit" variant="primary" className="self-start">
          {t('toolSend')}
        </Button>
      )}
    </form>
  );
}

function CallHeader({ call }: { readonly call: ToolCall }) {
  const t = useMessages(playgroundMessages);
  return (
    <p className="flex items-center gap-2 border-b border-line px-3 py-2 text-sm">
      <Wrench size={14} aria-hidden className="text-accent" />
      <span className="sr-only">{t('toolCall')} </span>
      <span className="font-mono text-xs font-medium">{call.name}</span>
      <span className="ml-auto font-mono text-2xs text-faint">{call.id}</span>
    </p>
  );
}

/** The search ran on the server already; its call carries how large the results are. */
function SearchCall({ call }: { readonly call: ToolCall }) {
  const t = useMessages(playgroundMessages);
  const tokens = readTokens(call.argumentsText);
  return (
    <p className="flex flex-wrap items-center gap-x-2 rounded-lg border border-line bg-surface px-3 py-2 text-sm">
      <Globe size={14} aria-hidden className="shrink-0 text-accent" />
      <span className="font-medium">{t('toolSearch')}</span>
      {tokens !== undefined && (
        <span className="text-xs text-faint">{t('toolSearchTokens', { count: tokens })}</span>
      )}
    </p>
  );
}

function readTokens(argumentsText: string): number | undefined {
  try {
    const value = JSON.parse(argumentsText) as { readonly usage?: { readonly total_tokens?: unknown } }; // Read field by field.
    const tokens = value.usage?.total_tokens;
    return typeof tokens === 'number' ? tokens : undefined;
  } catch {
    // Arguments that are still arriving are no JSON yet.
    return undefined;
  }
}

/** Indented, or as it stands when it is no JSON (yet). */
export function formatJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // What is not complete is shown as far as it is.
    return text;
  }
}
