/** The readable route table: every address that is answered, and how it is put into Fastify. */
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import { ApiError } from '../../errors.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import {
  createAuthenticateHook,
  createSameOriginHook,
  createSessionHook,
} from '../middleware/authenticate.ts';
import { answerOptions } from '../middleware/cors.ts';
import { acceptForms } from '../middleware/read-upload.ts';
import {
  createAccountKeysRoute,
  createActivityListRoute,
  createActivitySeriesRoute,
  createActivityStoryRoute,
} from './activity.ts';
import { adminRoutes } from './admin-routes.ts';
import {
  createBalanceRoute,
  createBillingDetailRoute,
  createLegacyBalanceRoute,
  createMoonshotBalanceRoute,
  createTransactionsRoute,
} from './billing.ts';
import {
  createChangeCacheRoute,
  createCreateCacheRoute,
  createDeleteCacheRoute,
  createListCachesRoute,
  createReadCacheRoute,
} from './caching.ts';
import {
  createDeleteCacheTagRoute,
  createListCacheTagsRoute,
  createReadCacheTagRoute,
  createReadTaggedCacheRoute,
  createSetCacheTagRoute,
} from './caching-tags.ts';
import { createChatCompletionsRoute } from './chat-completions.ts';
import {
  createChangeConversationRoute,
  createConversationRoute,
  createDeleteConversationRoute,
  createExportConversationRoute,
  createListConversationsRoute,
  createNewConversationRoute,
  createShareConversationRoute,
  createSharedConversationRoute,
  createUnshareConversationRoute,
} from './conversations.ts';
import {
  createChangePasswordRoute,
  createForgotPasswordRoute,
  createOidcCallbackRoute,
  createResetPasswordRoute,
  createSignInRoute,
  createSignOutRoute,
  createSignUpRoute,
  createStartOidcRoute,
} from './entrance.ts';
import {
  createDeleteFileRoute,
  createFileContentRoute,
  createListFilesRoute,
  createReadFileRoute,
  createUploadFileRoute,
} from './files.ts';
import { createFiberRoute, createFormulaToolsRoute } from './formulas.ts';
import { createHealthRoute, createReadyRoute } from './health.ts';
import {
  createChangeKeyRoute,
  createCreateKeyRoute,
  createDeleteKeyRoute,
  createListKeysRoute,
  createOwnKeyRoute,
} from './keys.ts';
import {
  createChangeManagementKeyRoute,
  createDeleteManagementKeyRoute,
  createListManagementKeysRoute,
  createNewManagementKeyRoute,
} from './management-keys.ts';
import { createMetricsRoute } from './metrics.ts';
import { createModelMetricsRoute } from './model-metrics.ts';
import { createModelListRoute, createModelRoute } from './models.ts';
import { createOpenApiRoute } from './openapi.ts';
import { createChangeKeyLimitsRoute, createKeyLimitsRoute } from './rate-limits.ts';
import type { Route } from './route.ts';
import {
  createEndOtherSessionsRoute,
  createEndSessionRoute,
  createInviteRoute,
  createListSessionsRoute,
  createProfileRoute,
  createSessionRoute,
} from './session.ts';
import { createTokenCountRoute } from './token-count.ts';
import { createLogsRoute, createUsageDetailRoute, createUsageRoute } from './usage.ts';

const routeFactories = [
  createChatCompletionsRoute, // POST /v1/chat/completions  /chat/completions
  createCreateCacheRoute, //     POST   /v1/caching
  createListCachesRoute, //      GET    /v1/caching
  createReadCacheRoute, //       GET    /v1/caching/{id}
  createChangeCacheRoute, //     PUT    /v1/caching/{id}
  createDeleteCacheRoute, //     DELETE /v1/caching/{id}
  createSetCacheTagRoute, //     POST   /v1/caching/refs/tags
  createListCacheTagsRoute, //   GET    /v1/caching/refs/tags
  createReadCacheTagRoute, //    GET    /v1/caching/refs/tags/{tag}
  createReadTaggedCacheRoute, // GET    /v1/caching/refs/tags/{tag}/content
  createDeleteCacheTagRoute, //  DELETE /v1/caching/refs/tags/{tag}
  createUploadFileRoute, //      POST   /v1/files
  createListFilesRoute, //       GET    /v1/files
  createReadFileRoute, //        GET    /v1/files/{id}
  createDeleteFileRoute, //      DELETE /v1/files/{id}
  createFileContentRoute, //     GET    /v1/files/{id}/content
  createFormulaToolsRoute, //    GET  /v1/formulas/{uri}/tools
  createFiberRoute, //           POST /v1/formulas/{uri}/fibers
  createTokenCountRoute, //      POST /v1/tokenizers/estimate-token-count
  createModelListRoute, //       GET  /v1/models            /models            /api/v1/models
  createModelRoute, //           GET  /v1/models/{id}       /models/{id}       /api/v1/models/{id}   /model/{id}
  createModelMetricsRoute, //    GET  /models/metrics
  createCreateKeyRoute, //       POST   /v1/keys
  createListKeysRoute, //        GET    /v1/keys
  createChangeKeyRoute, //       PATCH  /v1/keys/{prefix}
  createDeleteKeyRoute, //       DELETE /v1/keys/{prefix}
  createKeyLimitsRoute, //       GET    /v1/keys/{prefix}/rate-limits
  createChangeKeyLimitsRoute, // PATCH  /v1/keys/{prefix}/rate-limits
  createOwnKeyRoute, //          GET    /v1/key
  createBalanceRoute, //         GET    /v2/billing
  createBillingDetailRoute, //   GET    /v2/billing/detail
  createTransactionsRoute, //    GET    /v2/billing/transactions
  createLegacyBalanceRoute, //   GET    /v1/billing/balance
  createMoonshotBalanceRoute, // GET    /v1/users/me/balance
  createUsageRoute, //           GET    /v2/usage
  createUsageDetailRoute, //     GET    /v2/usage/detail
  createLogsRoute, //            GET    /v2/logs
  createActivitySeriesRoute, //   GET  /api/usage
  createActivityListRoute, //     GET  /api/requests
  createActivityStoryRoute, //    GET  /api/requests/{inference_id}
  createAccountKeysRoute, //      GET  /api/keys
  createSessionRoute, //          GET    /api/session
  createInviteRoute, //           GET    /api/invites/{token}
  createSignUpRoute, //           POST   /api/auth/sign-up
  createSignInRoute, //           POST   /api/auth/sign-in
  createSignOutRoute, //          POST   /api/auth/sign-out
  createForgotPasswordRoute, //   POST   /api/auth/forgot-password
  createResetPasswordRoute, //    POST   /api/auth/reset-password
  createChangePasswordRoute, //   POST   /api/auth/change-password
  createStartOidcRoute, //        POST   /api/auth/oidc
  createOidcCallbackRoute, //     GET    /api/auth/callback/oidc
  createProfileRoute, //          PATCH  /api/profile
  createListSessionsRoute, //     GET    /api/sessions
  createEndSessionRoute, //       DELETE /api/sessions/{id}
  createEndOtherSessionsRoute, // DELETE /api/sessions
  createListManagementKeysRoute, //  GET    /api/management-keys
  createNewManagementKeyRoute, //    POST   /api/management-keys
  createChangeManagementKeyRoute, // PATCH  /api/management-keys/{prefix}
  createDeleteManagementKeyRoute, // DELETE /api/management-keys/{prefix}
  createListConversationsRoute, //   GET    /api/conversations
  createNewConversationRoute, //     POST   /api/conversations
  createConversationRoute, //        GET    /api/conversations/{id}
  createChangeConversationRoute, //  PATCH  /api/conversations/{id}
  createDeleteConversationRoute, //  DELETE /api/conversations/{id}
  createExportConversationRoute, //  GET    /api/conversations/{id}/export
  createShareConversationRoute, //   PUT    /api/conversations/{id}/share
  createUnshareConversationRoute, // DELETE /api/conversations/{id}/share
  createSharedConversationRoute, //  GET    /api/shared/{id}
  ...adminRoutes, //                 /api/admin/…, in admin-routes.ts
  createHealthRoute, //          GET  /health
  createReadyRoute, //           GET  /ready
  createMetricsRoute, //         GET  /metrics
  createOpenApiRoute, //         GET  /openapi.json
] as const;

const refusedMethods: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Registers the table, and on each of its paths `OPTIONS` and a 405 for every other method. */
export function registerRoutes(app: FastifyInstance, dependencies: HttpDependencies): void {
  const hooks = {
    open: [],
    key: [createAuthenticateHook(dependencies, 'inference')],
    'management-key': [createAuthenticateHook(dependencies, 'management')],
    'any-key': [createAuthenticateHook(dependencies, 'any')],
    session: [createSessionHook(dependencies, false)],
    admin: [createSessionHook(dependencies, true)],
    'same-origin': [createSameOriginHook(dependencies)],
  };
  const methodsByPath = new Map<string, HTTPMethods[]>();
  for (const createRoute of routeFactories) {
    const route = createRoute(dependencies, app);
    for (const [position, path] of route.paths.entries()) {
      methodsByPath.set(path, [...(methodsByPath.get(path) ?? []), route.method]);
      const register = (scope: FastifyInstance): void => {
        scope.route({
          method: route.method,
          url: path,
          config: { isInference: route.isInference ?? false, isPathSecret: route.isPathSecret ?? false },
          schema: position === 0 ? route.schema : withAliasOperationId(route, position),
          onRequest: hooks[route.access],
          handler: (request: FastifyRequest, reply: FastifyReply) => route.handle(request, reply),
        });
      };
      if (route.takesForm !== true) register(app);
      else {
        // A scope of its own, so that forms stay unreadable everywhere else.
        app.register(async (scope) => {
          acceptForms(scope);
          register(scope);
        });
      }
    }
  }
  for (const [path, methods] of methodsByPath) registerOtherMethods(app, path, methods);
}

function registerOtherMethods(app: FastifyInstance, path: string, methods: readonly HTTPMethods[]): void {
  // Fastify answers HEAD wherever there is a GET.
  const allowed: readonly HTTPMethods[] = methods.includes('GET') ? [...methods, 'HEAD'] : methods;
  app.route({ method: 'OPTIONS', url: path, schema: { hide: true }, handler: answerOptions(allowed) });
  app.route({
    method: refusedMethods.filter((method) => !allowed.includes(method)),
    url: path,
    schema: { hide: true },
    // Thrown here, not in the handler, so that no body is read for it.
    onRequest: async (_request, reply) => {
      reply.header('allow', [...allowed, 'OPTIONS'].join(', '));
      throw new ApiError('method_not_allowed', {
        message: `This address does not answer that HTTP method; use ${allowed.join(' or ')}.`,
      });
    },
    handler: (_request, reply) => reply,
  });
}

/** Operation ids are unique over the document; an alias is the same operation under another address. */
function withAliasOperationId(route: Route, position: number): Route['schema'] {
  return { ...route.schema, operationId: `${route.schema.operationId}Alias${position}` };
}
