/** Keeps the open conversation in the account: after every answer, in order, and never over another tab's changes. */
import { useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useCallback, useEffect, useRef, useState } from 'react';
import { ApiFailure } from '../../api/api-failure.ts';
import {
  changeConversation,
  conversationsKey,
  createConversation,
  type StoredConversation,
} from '../../api/conversations.ts';
import { type Conversation, titleOf } from './conversation.ts';

export interface Saving {
  /** What the account knows of it; undefined until the first answer. */
  readonly stored: StoredConversation | undefined;
  readonly state: 'idle' | 'saving' | 'conflict' | 'failed';
  /** Why it could not be saved. */
  readonly error: string | undefined;
  save(): void;
  saveAsCopy(): void;
  /** After a rename or a share elsewhere on the page. */
  setStored(stored: StoredConversation | undefined): void;
}

interface Options {
  readonly initial: StoredConversation | undefined;
  /** The conversation as it is when the save begins. */
  current(): Conversation;
  readonly untitled: string;
  /** Only where the person has gone nowhere else meanwhile. */
  onCreated(stored: StoredConversation): void;
}

export function useSaving({ initial, current, untitled, onCreated }: Options): Saving {
  const client = useQueryClient();
  const { history } = useRouter();
  const [stored, setStoredState] = useState(initial);
  const [state, setState] = useState<Saving['state']>('idle');
  const [error, setError] = useState<string>();
  const latest = useRef(initial);
  const queue = useRef(Promise.resolve());
  const options = useRef({ current, untitled, onCreated });
  useEffect(() => {
    options.current = { current, untitled, onCreated };
  });

  const setStored = useCallback((next: StoredConversation | undefined): void => {
    latest.current = next;
    setStoredState(next);
  }, []);

  const run = useCallback(
    async (isCopy: boolean): Promise<void> => {
      const conversation = options.current.current();
      const title = titleOf(conversation);
      if (title === undefined) return;
      setState('saving');
      const known = isCopy ? undefined : latest.current;
      // One object per navigation.
      const place = history.location;
      try {
        if (known === undefined) {
          const created = await createConversation(title, conversation);
          setStored(created);
          if (history.location === place) options.current.onCreated(created);
        } else {
          setStored(await changeConversation(known.id, { content: conversation, revision: known.revision }));
        }
        setState('idle');
        await client.invalidateQueries({ queryKey: [...conversationsKey, 'list'] });
      } catch (failure) {
        const isConflict =
          failure instanceof ApiFailure && failure.code === 'conflict' && known !== undefined;
        setState(isConflict ? 'conflict' : 'failed');
        setError(failure instanceof Error ? failure.message : String(failure));
      }
    },
    [client, history, setStored],
  );

  // One after the other: two saves at once would look like two tabs.
  const enqueue = useCallback(
    (isCopy: boolean): void => {
      queue.current = queue.current.then(() => run(isCopy));
    },
    [run],
  );
  return {
    stored,
    state,
    error,
    save: useCallback(() => enqueue(false), [enqueue]),
    saveAsCopy: useCallback(() => enqueue(true), [enqueue]),
    setStored,
  };
}
