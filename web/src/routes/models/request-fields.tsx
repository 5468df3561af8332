import { useQuery } from '@tanstack/react-query';
import { request } from '../../api/request.ts';
import { Badge } from '../../components/badge.tsx';
import { Markdown } from '../../components/markdown/markdown.tsx';
import { ErrorState, SkeletonRows } from '../../components/states.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { modelsMessages } from './models-messages.ts';

interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
}

interface OpenApiDocument {
  readonly components: { readonly schemas: Readonly<Record<string, SchemaNode>> };
}

/** The fields of a chat request, from this server's own OpenAPI document. */
export function RequestFields() {
  const t = useMessages(modelsMessages);
  const document = useQuery({
    queryKey: ['openapi'],
    queryFn: ({ signal }) => request<OpenApiDocument>('/openapi.json', { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (document.isPending) return <SkeletonRows />;
  if (document.isError) return <ErrorState error={document.error} onRetry={() => void document.refetch()} />;
  const schema = document.data.components.schemas.ChatCompletionRequestInput;
  return (
    <dl className="divide-y divide-line">
      {Object.entries(schema?.properties ?? {}).map(([name, node]) => (
        <div key={name} className="grid grid-cols-1 gap-x-4 gap-y-0.5 px-4 py-2.5 sm:grid-cols-[13rem_1fr]">
          <dt className="flex min-w-0 flex-wrap items-start gap-x-2">
            <code className="font-mono text-xs leading-5 font-medium">{name}</code>
            {schema?.required?.includes(name) === true && <Badge tone="accent">{t('required')}</Badge>}
          </dt>
          <dd className="min-w-0 text-sm [&_.markdown]:text-sm">
            <Markdown text={node.description ?? ''} />
            <span className="font-mono text-2xs text-faint">{describeType(node)}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function describeType(node: SchemaNode): string {
  const parts = node.anyOf ?? node.oneOf;
  if (parts !== undefined) return [...new Set(parts.map(describeType))].join(' | ');
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum !== undefined) return node.enum.map((value) => JSON.stringify(value)).join(' | ');
  const type = typeof node.type === 'string' ? node.type : (node.type?.join(' | ') ?? 'any');
  const { minimum, maximum } = node;
  const isBounded = minimum !== undefined && maximum !== undefined && Math.abs(maximum) < 1e9;
  return isBounded ? `${type} ${minimum} … ${maximum}` : type;
}
