import { ChevronLeft, ChevronRight } from 'lucide-react';
import { IconButton } from '../../components/button.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import type { ConversationNode } from './conversation.ts';
import { playgroundMessages } from './playground-messages.ts';

/** `‹ 2/3 ›`: the other messages at this place. Nothing when there is only one. */
export function BranchSwitch({
  node,
  siblings,
  onChoose,
}: {
  readonly node: ConversationNode;
  readonly siblings: readonly ConversationNode[];
  onChoose(node: ConversationNode): void;
}) {
  const t = useMessages(playgroundMessages);
  if (siblings.length < 2) return null;
  const index = siblings.findIndex(({ id }) => id === node.id);
  const choose = (step: number): void => {
    const next = siblings[index + step];
    if (next !== undefined) onChoose(next);
  };
  return (
    <div className="flex items-center text-xs text-faint">
      <IconButton size="sm" label={t('previousBranch')} disabled={index <= 0} onClick={() => choose(-1)}>
        <ChevronLeft size={14} aria-hidden />
      </IconButton>
      <span className="numeric" aria-hidden>
        {index + 1}/{siblings.length}
      </span>
      <span className="sr-only">{t('branch', { index: index + 1, total: siblings.length })}</span>
      <IconButton
        size="sm"
        label={t('nextBranch')}
        disabled={index >= siblings.length - 1}
        onClick={() => choose(1)}
      >
        <ChevronRight size={14} aria-hidden />
      </IconButton>
    </div>
  );
}
