import { Pencil, Trash2 } from 'lucide-react';
import { type FormEvent, memo, useState } from 'react';
import { Button, IconButton } from '../../components/button.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { TextArea } from '../../components/field.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { BranchSwitch } from './branch-switch.tsx';
import type { ConversationNode, UserNode } from './conversation.ts';
import { playgroundMessages } from './playground-messages.ts';

interface UserMessageProps {
  readonly node: UserNode;
  readonly siblings: readonly ConversationNode[];
  onChoose(node: ConversationNode): void;
  /** False when it was not taken: the text stays. */
  onEdit(node: ConversationNode, text: string): boolean;
  onRemove(nodeId: string): void;
  readonly isReadOnly?: boolean;
}

export const UserMessage = memo(function UserMessage(props: UserMessageProps) {
  const { node, siblings, onChoose, onEdit, onRemove, isReadOnly = false } = props;
  const t = useMessages(playgroundMessages);
  const [isEditing, setIsEditing] = useState(false);
  if (isEditing) {
    return (
      <EditForm
        text={node.text}
        onCancel={() => setIsEditing(false)}
        onSend={(text) => {
          if (onEdit(node, text)) setIsEditing(false);
        }}
      />
    );
  }
  return (
    <article
      aria-label={t('you')}
      className="group/message relative flex flex-col items-end pb-2 pointer-coarse:pb-7"
    >
      <p className="max-w-[85%] rounded-xl rounded-br-sm bg-active px-3.5 py-2 text-base whitespace-pre-wrap">
        {node.text}
      </p>
      <div className="absolute top-full right-0 z-[1] -mt-2 -mr-1.5 flex h-7 items-center rounded-md bg-ground opacity-0 pointer-coarse:-mt-7 transition-opacity group-focus-within/message:opacity-100 group-hover/message:opacity-100 pointer-coarse:opacity-100">
        <BranchSwitch node={node} siblings={siblings} onChoose={onChoose} />
        <CopyButton text={node.text} label={t('copyText')} />
        {!isReadOnly && (
          <>
            <IconButton size="sm" label={t('edit')} onClick={() => setIsEditing(true)}>
              <Pencil size={14} aria-hidden />
            </IconButton>
            <IconButton size="sm" label={t('remove')} onClick={() => onRemove(node.id)}>
              <Trash2 size={14} aria-hidden />
            </IconButton>
          </>
        )}
      </div>
    </article>
  );
});

function EditForm({
  text: initial,
  onSend,
  onCancel,
}: {
  readonly text: string;
  onSend(text: string): void;
  onCancel(): void;
}) {
  const t = useMessages(playgroundMessages);
  const [text, setText] = useState(initial);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (text.trim() !== '') onSend(text);
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-2">
      <TextArea
        label={t('edit')}
        isLabelHidden
        autoFocus
        className="max-h-80 text-base"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') onCancel();
          if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) submit(event);
        }}
      />
      <div className="flex justify-end gap-2">
        <Button size="sm" onClick={onCancel}>
          {t('cancel')}
        </Button>
        <Button size="sm" type="submit" variant="primary" disabled={text.trim() === ''}>
          {t('editSend')}
        </Button>
      </div>
    </form>
  );
}
