/** The pages of the side bar and of the command palette. A new page is one line here and one in `router.tsx`. */
import type { LinkProps } from '@tanstack/react-router';
import {
  BookOpen,
  Box,
  ChartColumn,
  Cpu,
  DatabaseZap,
  FileText,
  Globe,
  KeyRound,
  LayoutDashboard,
  type LucideIcon,
  ScrollText,
  Server,
  Settings,
  SquareTerminal,
  Tags,
  Users,
  Wallet,
} from 'lucide-react';
import type { shellMessages } from './shell-messages.ts';

type ShellMessage = keyof (typeof shellMessages)['en'];

export interface NavigationItem {
  readonly to: NonNullable<LinkProps['to']>;
  readonly label: ShellMessage;
  readonly icon: LucideIcon;
  /** Pressed after `g`, as in “g p”; unique. */
  readonly key?: string;
}

export interface NavigationGroup {
  /** Undefined = no heading. */
  readonly label?: ShellMessage;
  /** Who sees it. */
  readonly audience: 'everyone' | 'members' | 'administrators';
  readonly items: readonly NavigationItem[];
}

export const navigation: readonly NavigationGroup[] = [
  {
    audience: 'members',
    items: [
      { to: '/playground', label: 'playground', icon: SquareTerminal, key: 'p' },
      { to: '/overview', label: 'overview', icon: LayoutDashboard, key: 'o' },
    ],
  },
  {
    label: 'manage',
    audience: 'members',
    items: [
      { to: '/keys', label: 'keys', icon: KeyRound, key: 'k' },
      { to: '/usage', label: 'usage', icon: ChartColumn, key: 'u' },
      { to: '/requests', label: 'requests', icon: ScrollText, key: 'r' },
      { to: '/billing', label: 'billing', icon: Wallet, key: 'b' },
      { to: '/caches', label: 'caches', icon: DatabaseZap, key: 'c' },
      { to: '/files', label: 'files', icon: FileText, key: 'f' },
      { to: '/settings', label: 'settings', icon: Settings, key: 's' },
    ],
  },
  {
    label: 'learn',
    audience: 'everyone',
    items: [
      { to: '/models', label: 'models', icon: Box, key: 'm' },
      { to: '/docs', label: 'docs', icon: BookOpen, key: 'd' },
    ],
  },
  {
    label: 'administration',
    audience: 'administrators',
    items: [
      { to: '/admin/accounts', label: 'accounts', icon: Users },
      { to: '/admin/models', label: 'modelsAndPrices', icon: Tags },
      { to: '/admin/engines', label: 'engines', icon: Cpu },
      { to: '/admin/search', label: 'webSearch', icon: Globe },
      { to: '/admin/system', label: 'system', icon: Server },
    ],
  },
];

/** The groups that this person sees. */
export function visibleNavigation(user: { readonly is_admin: boolean } | null): readonly NavigationGroup[] {
  return navigation.filter(
    ({ audience }) => audience === 'everyone' || (user !== null && (audience === 'members' || user.is_admin)),
  );
}
