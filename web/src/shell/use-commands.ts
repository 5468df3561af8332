import { useNavigate } from '@tanstack/react-router';
import { Languages, LogOut, type LucideIcon, Monitor, Moon, Sun } from 'lucide-react';
import { useSession } from '../api/session.ts';
import { useLanguage, useMessages } from '../i18n/language-context.tsx';
import { setTheme } from '../theme.ts';
import { visibleNavigation } from './navigation.ts';
import { shellMessages } from './shell-messages.ts';
import { useSignOut } from './use-sign-out.ts';

export interface Command {
  readonly id: string;
  readonly label: string;
  readonly icon: LucideIcon;
  readonly shortcut?: string;
  run(): void;
}

export interface CommandGroup {
  readonly label: string;
  readonly items: readonly Command[];
}

/** What the command palette offers to this person, in the interface's language. */
export function useCommands(): readonly CommandGroup[] {
  const t = useMessages(shellMessages);
  const navigate = useNavigate();
  const user = useSession()?.user ?? null;
  const { language, setLanguage } = useLanguage();
  const signOut = useSignOut();
  const pages = visibleNavigation(user)
    .flatMap(({ items }) => items)
    .map(
      ({ to, label, icon, key }): Command => ({
        id: to,
        label: t(label),
        icon,
        ...(key === undefined ? {} : { shortcut: `g ${key}` }),
        run: () => void navigate({ to }),
      }),
    );
  const actions: Command[] = [
    {
      id: 'theme-light',
      label: `${t('theme')}: ${t('themeLight')}`,
      icon: Sun,
      run: () => setTheme('light'),
    },
    { id: 'theme-dark', label: `${t('theme')}: ${t('themeDark')}`, icon: Moon, run: () => setTheme('dark') },
    {
      id: 'theme-system',
      label: `${t('theme')}: ${t('themeSystem')}`,
      icon: Monitor,
      run: () => setTheme('system'),
    },
    {
      id: 'language',
      label: `${t('language')}: ${language === 'en' ? '中文' : 'English'}`,
      icon: Languages,
      run: () => setLanguage(language === 'en' ? 'zh' : 'en'),
    },
  ];
  if (user !== null) {
    actions.push({ id: 'sign-out', label: t('signOut'), icon: LogOut, run: () => void signOut() });
  }
  return [
    { label: t('groupPages'), items: pages },
    { label: t('groupActions'), items: actions },
  ];
}
