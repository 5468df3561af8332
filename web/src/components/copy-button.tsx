import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useMessages } from '../i18n/language-context.tsx';
import { Button, IconButton } from './button.tsx';
import { componentMessages } from './component-messages.ts';
import { showToast } from './toast.tsx';

const confirmedMs = 1_600;

/** Puts `text` on the clipboard and says so for a moment. With `children` it is a button with words. */
export function CopyButton({
  text,
  label,
  size = 'sm',
  children,
}: {
  readonly text: string | (() => string);
  /** What is copied, where “Copy” alone would not say it. */
  readonly label?: string;
  readonly size?: 'sm' | 'md';
  readonly children?: string;
}) {
  const t = useMessages(componentMessages);
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => setIsCopied(false), confirmedMs);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = (): void => {
    copyText(typeof text === 'function' ? text() : text).then(
      () => setIsCopied(true),
      () => showToast(t('copyFailed'), 'danger'),
    );
  };
  const icon = isCopied ? (
    <Check size={14} aria-hidden className="text-success" />
  ) : (
    <Copy size={14} aria-hidden />
  );
  const name = isCopied ? t('copied') : (label ?? t('copy'));
  return children === undefined ? (
    <IconButton label={name} size={size} onClick={copy}>
      {icon}
    </IconButton>
  ) : (
    <Button size={size} icon={icon} onClick={copy}>
      {isCopied ? t('copied') : children}
    </Button>
  );
}

/** `navigator.clipboard` exists only on https and localhost; a server in one's own network may have neither. */
async function copyText(text: string): Promise<void> {
  if (window.isSecureContext) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'fixed top-0 opacity-0';
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand('copy');
  area.remove();
  if (!isCopied) throw new Error('the browser refused to copy');
  return undefined;
}
