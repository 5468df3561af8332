import { Link } from '@tanstack/react-router';
import { Search, X } from 'lucide-react';
import { lazy, Suspense, useEffect, useRef } from 'react';
import { useSession } from '../api/session.ts';
import { buttonClass, IconButton } from '../components/button.tsx';
import { componentMessages } from '../components/component-messages.ts';
import { cx } from '../components/cx.ts';
import { Shortcut } from '../components/shortcut.tsx';
import { useMessages } from '../i18n/language-context.tsx';
import { Logo } from './logo.tsx';
import { type NavigationItem, visibleNavigation } from './navigation.ts';
import { shellMessages } from './shell-messages.ts';

/** Its popup is not needed for the first view. */
const AccountMenu = lazy(async () => ({ default: (await import('./account-menu.tsx')).AccountMenu }));

interface SidebarProps {
  readonly isDrawerOpen: boolean;
  onCloseDrawer(): void;
  onOpenPalette(): void;
}

/** Beside the page from 1024 px on; below that a modal drawer, which is the same list. */
export function Sidebar({ isDrawerOpen, onCloseDrawer, onOpenPalette }: SidebarProps) {
  const drawer = useRef<HTMLDialogElement>(null);
  const t = useMessages(shellMessages);
  const tc = useMessages(componentMessages);
  useEffect(() => {
    const element = drawer.current;
    if (isDrawerOpen && element?.open === false) element.showModal();
    if (!isDrawerOpen && element?.open === true) element.close();
  }, [isDrawerOpen]);
  return (
    <>
      <aside className="hidden w-56 shrink-0 flex-col border-r border-line bg-sunken lg:flex">
        <div className="flex h-13 items-center px-3">
          <Logo />
        </div>
        <SidebarContent onOpenPalette={onOpenPalette} />
      </aside>
      <dialog
        ref={drawer}
        aria-label={t('navigation')}
        onClose={onCloseDrawer}
        onClick={(event) => event.target === event.currentTarget && onCloseDrawer()}
        onKeyDown={(event) => event.key === 'Escape' && onCloseDrawer()}
        className="m-0 h-dvh max-h-none w-72 max-w-[85vw] border-r border-line bg-sunken text-text backdrop:bg-[oklch(0_0_0/0.4)] lg:hidden"
      >
        <div className="flex h-full flex-col">
          <div className="flex h-12 items-center justify-between px-3">
            <Logo />
            <IconButton label={tc('close')} onClick={onCloseDrawer}>
              <X size={18} aria-hidden />
            </IconButton>
          </div>
          <SidebarContent
            onOpenPalette={() => {
              onCloseDrawer();
              onOpenPalette();
            }}
          />
        </div>
      </dialog>
    </>
  );
}

function SidebarContent({ onOpenPalette }: { onOpenPalette(): void }) {
  const t = useMessages(shellMessages);
  const user = useSession()?.user ?? null;
  return (
    <>
      <div className="px-3 pb-2">
        <button
          type="button"
          onClick={onOpenPalette}
          className="flex h-8 w-full items-center gap-2 rounded-md border border-line bg-surface px-2 text-sm text-faint shadow-sm hover:border-line-strong hover:text-muted"
        >
          <Search size={14} aria-hidden />
          <span className="flex-1 truncate text-left">{t('search')}</span>
          <Shortcut keys="mod+k" />
        </button>
      </div>
      <nav aria-label={t('navigation')} className="flex-1 overflow-y-auto px-3 pb-4">
        {visibleNavigation(user).map((group) => (
          <div key={group.label ?? 'first'} className="mt-3 first:mt-1">
            {group.label !== undefined && (
              <p className="px-2 pb-1 text-2xs font-medium text-faint">{t(group.label)}</p>
            )}
            <ul>
              {group.items.map((item) => (
                <li key={item.to}>
                  <SidebarLink item={item} text={t(item.label)} />
                </li>
              ))}
            </ul>
          </div>
        ))}
      </nav>
      <div className="border-t border-line p-3">
        {user === null ? (
          <div className="flex gap-2">
            <Link to="/sign-in" className={cx(buttonClass('primary'), 'flex-1')}>
              {t('signIn')}
            </Link>
          </div>
        ) : (
          <Suspense fallback={<div className="h-12" />}>
            <AccountMenu user={user} />
          </Suspense>
        )}
      </div>
    </>
  );
}

function SidebarLink({ item, text }: { readonly item: NavigationItem; readonly text: string }) {
  return (
    <Link
      to={item.to}
      className="flex h-8 items-center gap-2.5 rounded-md px-2 text-sm text-muted transition-colors hover:bg-hover hover:text-text"
      activeProps={{ className: 'bg-active !text-text font-medium', 'aria-current': 'page' }}
    >
      <item.icon size={16} aria-hidden className="shrink-0" />
      <span className="truncate">{text}</span>
    </Link>
  );
}
