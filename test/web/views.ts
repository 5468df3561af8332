/** Every view of the app: where axe looks, what must fit a phone, what `npm run screenshots` shows. */
import type { Page } from 'playwright-core';
import { modelName } from './web-session.ts';

export interface View {
  readonly name: string;
  /** Below `/app`. */
  readonly path: string;
  readonly isGuest?: boolean;
  /** What has to be done before the view is itself, such as opening a dialog. */
  prepare?(page: Page): Promise<void>;
}

export const views: readonly View[] = [
  { name: 'sign-in', path: '/sign-in', isGuest: true },
  { name: 'sign-up', path: '/sign-up', isGuest: true },
  { name: 'forgot-password', path: '/forgot-password', isGuest: true },
  { name: 'reset-password', path: '/reset-password?token=x', isGuest: true },
  { name: 'pending', path: '/pending', isGuest: true },
  { name: 'playground', path: `/?model=${modelName}&mode=chat` },
  {
    name: 'playground-code',
    path: '/playground',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'View code' }).click();
      await page.getByRole('dialog').getByRole('tab', { name: 'curl' }).click();
    },
  },
  { name: 'overview', path: '/overview' },
  { name: 'keys', path: '/keys' },
  { name: 'usage', path: '/usage' },
  { name: 'requests', path: '/requests' },
  { name: 'billing', path: '/billing' },
  { name: 'caches', path: '/caches' },
  { name: 'files', path: '/files' },
  { name: 'settings', path: '/settings' },
  { name: 'models', path: '/models' },
  { name: 'model', path: `/models/${modelName}` },
  { name: 'docs', path: '/docs' },
  { name: 'quickstart', path: '/docs/quickstart' },
  { name: 'errors', path: '/docs/errors' },
  { name: 'migrate', path: '/docs/migrate' },
  { name: 'admin-accounts', path: '/admin/accounts' },
  { name: 'admin-models', path: '/admin/models' },
  { name: 'admin-engines', path: '/admin/engines' },
  { name: 'admin-search', path: '/admin/search' },
  { name: 'admin-system', path: '/admin/system' },
  { name: 'not-found', path: '/no-such-page' },
  {
    name: 'command-palette',
    path: '/docs',
    prepare: async (page) => {
      await page.keyboard.press('Control+k');
      await page.getByRole('dialog').getByRole('option').first().waitFor();
    },
  },
];

/** Opens a view and waits until it shows what it is about. */
export async function openView(page: Page, origin: string, view: View): Promise<void> {
  await page.goto(`${origin}/app${view.path}`);
  await page.getByRole('heading', { level: 1 }).or(page.getByText('There is nothing here')).first().waitFor();
  await page.waitForLoadState('networkidle');
  await view.prepare?.(page);
  await page.locator('.skeleton').first().waitFor({ state: 'detached' });
}
