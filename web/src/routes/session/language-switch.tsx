import { Languages } from 'lucide-react';
import { Button } from '../../components/button.tsx';
import { useLanguage } from '../../i18n/language-context.tsx';

/** The other language, in its own words: whoever needs it can read it. */
export function LanguageSwitch() {
  const { language, setLanguage } = useLanguage();
  const other =
    language === 'en' ? { code: 'zh' as const, name: '中文' } : { code: 'en' as const, name: 'English' };
  return (
    <Button
      variant="ghost"
      size="sm"
      lang={other.code}
      icon={<Languages size={14} aria-hidden />}
      onClick={() => setLanguage(other.code)}
    >
      {other.name}
    </Button>
  );
}
