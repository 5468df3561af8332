/** The frame around every view behind the doors: side bar, top bar on phones, command palette, shortcuts. */
import { Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { Menu as MenuIcon, Search } from 'lucide-react';
import { lazy, Suspense, useEffect, useState } from 'react';
import { useSession } from '../api/session.ts';
import { IconButton } from '../components/button.tsx';
import { cx } from '../components/cx.ts';
import { useMessages } from '../i18n/language-context.tsx';
import { Logo } from './logo.tsx';
import { visibleNavigation } from './navigation.ts';
import { shellMessages } from './shell-messages.ts';
import { Sidebar } from './sidebar.tsx';
import { useShortcuts } from './use-shortcuts.ts';

const CommandPalette = lazy(async () => ({
  default: (await import('./command-palette.tsx')).CommandPalette,
}));

export function Shell() {
  const t = useMessages(shellMessages);
  const [isPaletteOpen, setIsPaletteOpen] = useState(false);
  const [isDrawerOpen, setIsDrawerOpen] = useState(false);
  const path = useRouterState({ select: (state) => state.location.pathname });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new address closes the drawer that led there.
  useEffect(() => setIsDrawerOpen(false), [path]);
  useNavigationShortcuts(() => setIsPaletteOpen(true));
  return (
    <div className="flex h-dvh flex-col lg:flex-row">
      <a
        href="#content"
        className="sr-only z-50 rounded-md bg-raised px-3 py-2 shadow-lg focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        {t('skipToContent')}
      </a>
      <header className="flex h-12 shrink-0 items-center gap-1 border-b border-line bg-surface px-2 lg:hidden">
        <IconButton
          label={t('openNavigation')}
          aria-expanded={isDrawerOpen}
          onClick={() => setIsDrawerOpen(true)}
        >
          <MenuIcon size={18} aria-hidden />
        </IconButton>
        <Logo />
        <IconButton label={t('search')} className="ml-auto" onClick={() => setIsPaletteOpen(true)}>
          <Search size={18} aria-hidden />
        </IconButton>
      </header>
      <Sidebar
        isDrawerOpen={isDrawerOpen}
        onCloseDrawer={() => setIsDrawerOpen(false)}
        onOpenPalette={() => setIsPaletteOpen(true)}
      />
      <main id="content" tabIndex={-1} className={cx('min-h-0 min-w-0 flex-1 overflow-y-auto')}>
        <Outlet />
      </main>
      {isPaletteOpen && (
        <Suspense>
          <CommandPalette onClose={() => setIsPaletteOpen(false)} />
        </Suspense>
      )}
    </div>
  );
}

function useNavigationShortcuts(openPalette: () => void): void {
  const navigate = useNavigate();
  const user = useSession()?.user ?? null;
  const pages = visibleNavigation(user).flatMap(({ items }) => items);
  useShortcuts({
    'mod+k': openPalette,
    '/': openPalette,
    ...Object.fromEntries(
      pages.flatMap(({ key, to }) => (key === undefined ? [] : [[`g ${key}`, () => void navigate({ to })]])),
    ),
  });
}
