import { Page } from '../../components/page.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { shellMessages } from '../../shell/shell-messages.ts';

export function PlaygroundPage() {
  const t = useMessages(shellMessages);
  return <Page title={t('playground')}>{null}</Page>;
}
