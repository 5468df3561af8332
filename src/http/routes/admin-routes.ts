/** The part of the route table that is open to administrators only. */
import {
  createAccountLedgerRoute,
  createAccountRoute,
  createApproveAccountRoute,
  createChangeAccountRoute,
  createGrantRoute,
  createListAccountsRoute,
  createNewAccountRoute,
  createRefundRoute,
  createRefuseAccountRoute,
  createResetLinkRoute,
} from './admin-accounts.ts';
import {
  createCloseResetRequestRoute,
  createListInvitesRoute,
  createListResetRequestsRoute,
  createNewInviteRoute,
  createRevokeInviteRoute,
} from './admin-entrance.ts';
import { createSearchTestRoute } from './admin-search.ts';
import {
  createAdminModelsRoute,
  createEnginesRoute,
  createListPricesRoute,
  createSetPriceRoute,
  createSystemRoute,
} from './admin-system.ts';
import {
  createAccountLimitsRoute,
  createChangeAccountLimitsRoute,
  createChangeDefaultLimitsRoute,
  createDefaultLimitsRoute,
} from './rate-limits.ts';

export const adminRoutes = [
  createListAccountsRoute, //      GET    /api/admin/accounts
  createNewAccountRoute, //        POST   /api/admin/accounts
  createAccountRoute, //           GET    /api/admin/accounts/{id}
  createChangeAccountRoute, //     PATCH  /api/admin/accounts/{id}
  createRefuseAccountRoute, //     DELETE /api/admin/accounts/{id}
  createApproveAccountRoute, //    POST   /api/admin/accounts/{id}/approve
  createGrantRoute, //             POST   /api/admin/accounts/{id}/grants
  createRefundRoute, //            POST   /api/admin/accounts/{id}/refunds
  createAccountLedgerRoute, //     GET    /api/admin/accounts/{id}/transactions
  createResetLinkRoute, //         POST   /api/admin/accounts/{id}/reset-link
  createAccountLimitsRoute, //       GET    /api/admin/accounts/{id}/rate-limits
  createChangeAccountLimitsRoute, // PATCH  /api/admin/accounts/{id}/rate-limits
  createDefaultLimitsRoute, //       GET    /api/admin/rate-limits
  createChangeDefaultLimitsRoute, // PATCH  /api/admin/rate-limits
  createListInvitesRoute, //       GET    /api/admin/invites
  createNewInviteRoute, //         POST   /api/admin/invites
  createRevokeInviteRoute, //      DELETE /api/admin/invites/{id}
  createListResetRequestsRoute, // GET    /api/admin/reset-requests
  createCloseResetRequestRoute, // DELETE /api/admin/reset-requests/{account_id}
  createListPricesRoute, //        GET    /api/admin/prices
  createSetPriceRoute, //          PUT    /api/admin/prices/{model}
  createAdminModelsRoute, //       GET    /api/admin/models
  createEnginesRoute, //           GET    /api/admin/engines
  createSystemRoute, //            GET    /api/admin/system
  createSearchTestRoute, //        POST   /api/admin/search-test
] as const;
