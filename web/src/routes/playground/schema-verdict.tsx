import { useEffect, useState } from 'react';
import { Badge } from '../../components/badge.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import type { AnswerNode } from './conversation.ts';
import { schemaMessages } from './schema-messages.ts';
import type { Verdict } from './validate-json.ts';

/** Whether the answer really is JSON of the asked schema, checked here, not believed. */
export function SchemaVerdict({ answer }: { readonly answer: AnswerNode }) {
  const t = useMessages(schemaMessages);
  const verdict = useVerdict(answer);
  if (verdict === undefined) return null;
  return (
    <div className="mt-2 flex flex-wrap items-center gap-2 text-xs text-muted">
      <Badge tone={verdict.isValid ? 'success' : 'danger'}>
        {verdict.isValid ? (verdict.hasSchema ? t('validSchema') : t('validJson')) : t('invalid')}
      </Badge>
      {verdict.fault !== undefined && <span className="font-mono text-2xs">{verdict.fault}</span>}
    </div>
  );
}

function useVerdict({ text, request }: AnswerNode): Verdict | undefined {
  const [verdict, setVerdict] = useState<Verdict>();
  const format = request.response_format;
  useEffect(() => {
    const schema = format?.type === 'json_schema' ? format.json_schema.schema : undefined;
    let isCurrent = true;
    import('./validate-json.ts').then(
      ({ judgeJson }) => isCurrent && setVerdict(judgeJson(text, schema)),
      // Without its script there is no verdict; the answer stands as it is.
      () => undefined,
    );
    return () => {
      isCurrent = false;
    };
  }, [text, format]);
  return verdict;
}
