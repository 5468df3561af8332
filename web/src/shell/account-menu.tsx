import { ChevronsUpDown, LogOut, Monitor, Moon, Sun } from 'lucide-react';
import type { SessionUser } from '../api/session.ts';
import { Menu, MenuItem, MenuRadioGroup, MenuSeparator } from '../components/menu.tsx';
import { showToast } from '../components/toast.tsx';
import { useFormats } from '../formats/use-formats.ts';
import { useLanguage, useMessages } from '../i18n/language-context.tsx';
import { setTheme, useTheme } from '../theme.ts';
import { shellMessages } from './shell-messages.ts';
import { useSignOut } from './use-sign-out.ts';

/** Who is signed in and with what balance; theme, language and the way out. */
export function AccountMenu({ user }: { readonly user: SessionUser }) {
  const t = useMessages(shellMessages);
  const { language, setLanguage } = useLanguage();
  const { usd } = useFormats();
  const theme = useTheme();
  const signOut = useSignOut();
  return (
    <Menu
      side="top"
      align="start"
      trigger={
        <button
          type="button"
          className="flex w-full items-center gap-2.5 rounded-md px-2 py-1.5 text-left hover:bg-hover data-popup-open:bg-hover"
        >
          <span
            aria-hidden
            className="flex size-7 shrink-0 items-center justify-center rounded-full bg-accent-soft text-xs font-semibold text-accent uppercase"
          >
            {(user.name || user.email).slice(0, 1)}
          </span>
          <span className="min-w-0 flex-1">
            <span className="sr-only">{t('account')}: </span>
            <span className="block truncate text-sm font-medium">{user.name || user.email}</span>
            <span className="numeric block truncate text-xs text-faint">
              {t('balance')} {usd(user.balance_usd)}
            </span>
          </span>
          <ChevronsUpDown size={14} aria-hidden className="shrink-0 text-faint" />
        </button>
      }
    >
      <div className="max-w-56 truncate px-2 pt-1 pb-1.5 text-xs text-faint">{user.email}</div>
      <MenuSeparator />
      <MenuRadioGroup
        label={t('theme')}
        value={theme}
        onChange={setTheme}
        options={[
          { value: 'system', label: t('themeSystem'), icon: <Monitor size={14} aria-hidden /> },
          { value: 'light', label: t('themeLight'), icon: <Sun size={14} aria-hidden /> },
          { value: 'dark', label: t('themeDark'), icon: <Moon size={14} aria-hidden /> },
        ]}
      />
      <MenuSeparator />
      <MenuRadioGroup
        label={t('language')}
        value={language}
        onChange={setLanguage}
        options={[
          { value: 'en', label: 'English' },
          { value: 'zh', label: '中文' },
        ]}
      />
      <MenuSeparator />
      <MenuItem
        icon={<LogOut size={14} aria-hidden />}
        onSelect={() => {
          signOut().catch((error: unknown) => showToast(String(error), 'danger'));
        }}
      >
        {t('signOut')}
      </MenuItem>
    </Menu>
  );
}
