/**
 * Every address of the app: one line each, its view loaded when it is first opened. Who may see it is decided by the
 * branch it hangs on: `guest` (the session's pages), `shell` (everybody), `member` (signed in), `admin`.
 */
import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  notFound,
  redirect,
  type SearchSchemaInput,
} from '@tanstack/react-router';
import { sessionQuery } from './api/session.ts';
import { type RequestSearch, readRequestFilter } from './routes/dashboard/request-filter.ts';
import { lazyView } from './shell/lazy-view.ts';
import { NotFoundView, RootNotFoundView } from './shell/not-found-view.tsx';
import { RootView } from './shell/root-view.tsx';
import { RouteFailure } from './shell/route-failure.tsx';
import { RoutePending } from './shell/route-pending.tsx';
import { Shell } from './shell/shell.tsx';

interface RouterContext {
  readonly queryClient: QueryClient;
}

/** Of search parameters, what is text; everything else in an address is ignored. */
const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;

/** The named parameters that an address may carry, each optional. */
function readTexts<Name extends string>(search: Record<string, unknown>, ...names: readonly Name[]) {
  const entries = names
    .map((name) => [name, textOf(search[name])] as const)
    .filter(([, text]) => text !== undefined);
  return Object.fromEntries(entries) as { readonly [Each in Name]?: string }; // Names come from the list above.
}

/** A path of this app to go to after signing in; never another site's (`//host`, `https:`). */
const isOwnPath = (path: string | undefined): boolean => path !== undefined && /^\/(?![/\\])/.test(path);

const rootRoute = createRootRouteWithContext<RouterContext>()({
  beforeLoad: async ({ context }) => ({ session: await context.queryClient.ensureQueryData(sessionQuery) }),
  component: RootView,
  notFoundComponent: RootNotFoundView,
});

const guestRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'guest',
  component: lazyView(() => import('./routes/session/session-layout.tsx'), 'SessionLayout'),
});
const shellRoute = createRoute({ getParentRoute: () => rootRoute, id: 'shell', component: Shell });
const memberRoute = createRoute({
  getParentRoute: () => shellRoute,
  id: 'member',
  beforeLoad: ({ context, location }) => {
    if (context.session.user === null) {
      redirect({ to: '/sign-in', search: { next: location.href }, throw: true });
    }
  },
});
const adminRoute = createRoute({
  getParentRoute: () => memberRoute,
  id: 'admin',
  beforeLoad: ({ context }) => {
    if (context.session.user?.is_admin !== true) notFound({ throw: true });
  },
});

/** `/app/?model=…&mode=chat`, the original page's address of its playground, opens ours on that model. */
const indexRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  validateSearch: (search: Record<string, unknown>) => readTexts(search, 'model'),
  beforeLoad: ({ search }) => {
    redirect({ to: '/playground', search, replace: true, throw: true });
  },
});

const signInRoute = createRoute({
  getParentRoute: () => guestRoute,
  path: '/sign-in',
  validateSearch: (search: Record<string, unknown>) => {
    const { next, ...rest } = readTexts(search, 'next', 'error', 'done');
    return { ...rest, ...(isOwnPath(next) ? { next } : {}) };
  },
  component: lazyView(() => import('./routes/session/sign-in-page.tsx'), 'SignInPage'),
});
const signUpRoute = createRoute({
  getParentRoute: () => guestRoute,
  path: '/sign-up',
  validateSearch: (search: Record<string, unknown>) => readTexts(search, 'invite'),
  component: lazyView(() => import('./routes/session/sign-up-page.tsx'), 'SignUpPage'),
});
const forgotPasswordRoute = createRoute({
  getParentRoute: () => guestRoute,
  path: '/forgot-password',
  component: lazyView(() => import('./routes/session/forgot-password-page.tsx'), 'ForgotPasswordPage'),
});
const resetPasswordRoute = createRoute({
  getParentRoute: () => guestRoute,
  path: '/reset-password',
  validateSearch: (search: Record<string, unknown>) => readTexts(search, 'token'),
  component: lazyView(() => import('./routes/session/reset-password-page.tsx'), 'ResetPasswordPage'),
});
const pendingRoute = createRoute({
  getParentRoute: () => guestRoute,
  path: '/pending',
  component: lazyView(() => import('./routes/session/pending-page.tsx'), 'PendingPage'),
});

const playgroundRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/playground',
  validateSearch: (search: Record<string, unknown>) => readTexts(search, 'model'),
  component: lazyView(() => import('./routes/playground/playground-page.tsx'), 'PlaygroundPage'),
});
/** A conversation of the account; the page of the route above shows it and stays when one is opened. */
const conversationRoute = createRoute({
  getParentRoute: () => playgroundRoute,
  path: '/$conversationId',
});
const sharedRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/shared/$shareId',
  component: lazyView(() => import('./routes/playground/shared-page.tsx'), 'SharedPage'),
});

const overviewRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/overview',
  component: lazyView(() => import('./routes/dashboard/overview-page.tsx'), 'OverviewPage'),
});
const keysRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/keys',
  component: lazyView(() => import('./routes/dashboard/keys-page.tsx'), 'KeysPage'),
});
const usageRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/usage',
  component: lazyView(() => import('./routes/dashboard/usage-page.tsx'), 'UsagePage'),
});
const requestsRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/requests',
  validateSearch: (search: RequestSearch & SearchSchemaInput) => readRequestFilter(search),
  component: lazyView(() => import('./routes/dashboard/requests-page.tsx'), 'RequestsPage'),
});
const requestStoryRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/requests/$inferenceId',
  component: lazyView(() => import('./routes/dashboard/request-story-page.tsx'), 'RequestStoryPage'),
});
const billingRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/billing',
  component: lazyView(() => import('./routes/dashboard/billing-page.tsx'), 'BillingPage'),
});
const cachesRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/caches',
  component: lazyView(() => import('./routes/dashboard/caches-page.tsx'), 'CachesPage'),
});
const filesRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/files',
  component: lazyView(() => import('./routes/dashboard/files-page.tsx'), 'FilesPage'),
});
const settingsRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/settings',
  component: lazyView(() => import('./routes/dashboard/settings-page.tsx'), 'SettingsPage'),
});
const adminAccountsRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: '/admin/accounts',
  component: lazyView(() => import('./routes/admin/accounts-page.tsx'), 'AccountsPage'),
});
const adminAccountRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: '/admin/accounts/$id',
  component: lazyView(() => import('./routes/admin/account-page.tsx'), 'AccountPage'),
});
const adminModelsRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: '/admin/models',
  component: lazyView(() => import('./routes/admin/models-page.tsx'), 'ModelsPage'),
});
const adminEnginesRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: '/admin/engines',
  component: lazyView(() => import('./routes/admin/engines-page.tsx'), 'EnginesPage'),
});
const adminSearchRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: '/admin/search',
  component: lazyView(() => import('./routes/admin/search-page.tsx'), 'SearchPage'),
});
const adminSystemRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: '/admin/system',
  component: lazyView(() => import('./routes/admin/system-page.tsx'), 'SystemPage'),
});

const catalogueRoute = createRoute({ getParentRoute: () => shellRoute, path: '/models' });
const modelsRoute = createRoute({
  getParentRoute: () => catalogueRoute,
  path: '/',
  component: lazyView(() => import('./routes/models/models-page.tsx'), 'ModelsPage'),
});
/** Ids of models contain slashes. */
const modelRoute = createRoute({
  getParentRoute: () => catalogueRoute,
  path: '$',
  component: lazyView(() => import('./routes/models/model-page.tsx'), 'ModelPage'),
});
const docsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/docs',
  component: lazyView(() => import('./routes/docs/docs-page.tsx'), 'DocsPage'),
});
const quickstartRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/docs/quickstart',
  component: lazyView(() => import('./routes/docs/quickstart-page.tsx'), 'QuickstartPage'),
});
const referenceRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/docs/reference',
  component: lazyView(() => import('./routes/docs/reference-page.tsx'), 'ReferencePage'),
});
const errorsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/docs/errors',
  component: lazyView(() => import('./routes/docs/errors-page.tsx'), 'ErrorsPage'),
});
const migrateRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/docs/migrate',
  component: lazyView(() => import('./routes/docs/migrate-page.tsx'), 'MigratePage'),
});

const routeTree = rootRoute.addChildren([
  indexRoute,
  sharedRoute,
  guestRoute.addChildren([signInRoute, signUpRoute, forgotPasswordRoute, resetPasswordRoute, pendingRoute]),
  shellRoute.addChildren([
    catalogueRoute.addChildren([modelsRoute, modelRoute]),
    docsRoute,
    quickstartRoute,
    referenceRoute,
    errorsRoute,
    migrateRoute,
    memberRoute.addChildren([
      playgroundRoute.addChildren([conversationRoute]),
      overviewRoute,
      keysRoute,
      usageRoute,
      requestsRoute,
      requestStoryRoute,
      billingRoute,
      cachesRoute,
      filesRoute,
      settingsRoute,
      adminRoute.addChildren([
        adminAccountsRoute,
        adminAccountRoute,
        adminModelsRoute,
        adminEnginesRoute,
        adminSearchRoute,
        adminSystemRoute,
      ]),
    ]),
  ]),
]);

/** The router over the whole table; `queryClient` is where its guards look for the session. */
export function createAppRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree,
    basepath: '/app',
    context: { queryClient },
    defaultPreload: 'intent',
    defaultPendingComponent: RoutePending,
    defaultErrorComponent: RouteFailure,
    defaultNotFoundComponent: NotFoundView,
    scrollRestoration: true,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
