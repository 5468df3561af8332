/**
 * Every address of the app: one line each, its view loaded when it is first opened. Who may see it is decided by the
 * branch it hangs on: `guest` (the session's pages), `shell` (everybody), `member` (signed in), `admin`.
 */
import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  notFound,
  redirect,
} from '@tanstack/react-router';
import { sessionQuery } from './api/session.ts';
import { NotFoundView } from './shell/not-found-view.tsx';
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
});

const guestRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'guest',
  component: lazyRouteComponent(() => import('./routes/session/session-layout.tsx'), 'SessionLayout'),
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
  component: lazyRouteComponent(() => import('./routes/session/sign-in-page.tsx'), 'SignInPage'),
});
const signUpRoute = createRoute({
  getParentRoute: () => guestRoute,
  path: '/sign-up',
  validateSearch: (search: Record<string, unknown>) => readTexts(search, 'invite'),
  component: lazyRouteComponent(() => import('./routes/session/sign-up-page.tsx'), 'SignUpPage'),
});
const forgotPasswordRoute = createRoute({
  getParentRoute: () => guestRoute,
  path: '/forgot-password',
  component: lazyRouteComponent(
    () => import('./routes/session/forgot-password-page.tsx'),
    'ForgotPasswordPage',
  ),
});
const resetPasswordRoute = createRoute({
  getParentRoute: () => guestRoute,
  path: '/reset-password',
  validateSearch: (search: Record<string, unknown>) => readTexts(search, 'token'),
  component: lazyRouteComponent(
    () => import('./routes/session/reset-password-page.tsx'),
    'ResetPasswordPage',
  ),
});
const pendingRoute = createRoute({
  getParentRoute: () => guestRoute,
  path: '/pending',
  component: lazyRouteComponent(() => import('./routes/session/pending-page.tsx'), 'PendingPage'),
});

const playgroundRoute = createRoute({
  getParentRoute: () => memberRoute,
  path: '/playground',
  validateSearch: (search: Record<string, unknown>) => readTexts(search, 'model'),
  component: lazyRouteComponent(() => import('./routes/playground/playground-page.tsx'), 'PlaygroundPage'),
});

const routeTree = rootRoute.addChildren([
  indexRoute,
  guestRoute.addChildren([signInRoute, signUpRoute, forgotPasswordRoute, resetPasswordRoute, pendingRoute]),
  shellRoute.addChildren([memberRoute.addChildren([playgroundRoute, adminRoute.addChildren([])])]),
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
