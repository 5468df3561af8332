/** `/playground` and `/playground/$conversationId`: loads what is needed, then hands over to the workbench. */
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useRef, useState } from 'react';
import { conversationQuery, type StoredConversation } from '../../api/conversations.ts';
import { findModel, modelsQuery } from '../../api/models.ts';
import type { Model } from '../../api/wire-types.ts';
import { usePageTitle } from '../../components/page.tsx';
import { ErrorState } from '../../components/states.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { readPreference } from '../../preferences.ts';
import { RoutePending } from '../../shell/route-pending.tsx';
import { type Conversation, createThread } from './conversation.ts';
import { playgroundMessages } from './playground-messages.ts';
import { createSettings, type Settings } from './settings.ts';
import { Workbench } from './workbench.tsx';

export function PlaygroundPage() {
  const t = useMessages(playgroundMessages);
  usePageTitle(t('title'));
  const { model } = useSearch({ from: '/shell/member/playground' });
  const models = useQuery(modelsQuery);
  const { openId, generation, onCreated, onNew } = useOpenConversation(model);
  if (models.isPending) return <RoutePending />;
  if (models.isError) return <ErrorState error={models.error} onRetry={() => void models.refetch()} />;
  const shared = { models: models.data, onCreated, onNew };
  return openId === undefined ? (
    <NewWorkbench key={generation} modelName={model} {...shared} />
  ) : (
    <StoredWorkbench key={openId} id={openId} {...shared} />
  );
}

/**
 * Which stored conversation is open; undefined for one that began on this page. That one gets an address with its first
 * save, and must not be loaded again for it while an answer may be under way.
 */
function useOpenConversation(model: string | undefined) {
  const { conversationId } = useParams({ strict: false });
  const navigate = useNavigate();
  const [own, setOwn] = useState<{ readonly generation: number; readonly id: string | undefined }>({
    generation: 0,
    id: undefined,
  });
  const previousId = useRef(conversationId);
  const previousModel = useRef(model);
  const begin = useCallback(
    () => setOwn(({ generation }) => ({ generation: generation + 1, id: undefined })),
    [],
  );
  useEffect(() => {
    // Back on the address without an id, by the side bar for instance: a new conversation begins.
    if (conversationId === undefined && previousId.current !== undefined) begin();
    previousId.current = conversationId;
  }, [conversationId, begin]);
  useEffect(() => {
    // A link to another model, followed from within the playground.
    if (model !== undefined && model !== previousModel.current) begin();
    previousModel.current = model;
  }, [model, begin]);
  return {
    openId: conversationId === own.id ? undefined : conversationId,
    generation: own.generation,
    onCreated: useCallback(
      ({ id }: StoredConversation) => {
        setOwn(({ generation }) => ({ generation, id }));
        void navigate({ to: '/playground/$conversationId', params: { conversationId: id }, replace: true });
      },
      [navigate],
    ),
    onNew: useCallback(() => {
      begin();
      void navigate({ to: '/playground' });
    }, [begin, navigate]),
  };
}

interface OpenProps {
  readonly models: readonly Model[];
  onCreated(stored: StoredConversation): void;
  onNew(): void;
}

/** Settings go on from the last conversation of this browser; a model in the address wins. */
function NewWorkbench({ modelName, ...rest }: OpenProps & { readonly modelName: string | undefined }) {
  const { models } = rest;
  const fallback = models[0]?.id ?? '';
  const [initial] = useState<Conversation>(() => {
    const settings = { ...createSettings(fallback), ...readLastSettings() };
    const model = modelName === undefined ? settings.model : (findModel(models, modelName)?.id ?? modelName);
    const isServed = findModel(models, model) !== undefined || modelName !== undefined;
    return { version: 1, threads: [createThread({ ...settings, model: isServed ? model : fallback })] };
  });
  return <Workbench initial={initial} stored={undefined} {...rest} />;
}

function readLastSettings(): Partial<Settings> {
  try {
    // Written by this app's own `Workbench`; fields that a newer version added come from the defaults.
    return JSON.parse(readPreference('playground') ?? '{}') as Partial<Settings>;
  } catch {
    // A damaged entry is worth no more than none.
    return {};
  }
}

function StoredWorkbench({ id, ...rest }: OpenProps & { readonly id: string }) {
  const stored = useQuery(conversationQuery(id));
  const [initial, setInitial] = useState<Conversation>();
  const [isForeign, setIsForeign] = useState(false);
  const content = stored.data?.content;
  useEffect(() => {
    if (content === undefined) return;
    import('./read-conversation.ts').then(
      ({ readConversation }) => {
        const conversation = readConversation(content);
        if (conversation === undefined) setIsForeign(true);
        else setInitial(conversation);
      },
      () => setIsForeign(true),
    );
  }, [content]);
  const retry = useCallback(() => void stored.refetch(), [stored]);
  if (stored.isError || isForeign) {
    return (
      <ErrorState error={stored.error ?? new Error('The conversation cannot be read.')} onRetry={retry} />
    );
  }
  if (stored.data === undefined || initial === undefined) return <RoutePending />;
  return <Workbench initial={initial} stored={stored.data} {...rest} />;
}
