/** New accounts of people who come by themselves: which way in is open, and everything written in one group. */
import { ApiError, type ErrorCode } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import { emailTaken, insertAccount, prepareAccount } from './create-account.ts';
import { type SignUpMode, waitingAccountsMax } from './entrance-rules.ts';
import { claimInvite, type Invite, type Invites, settleInvite } from './invites.ts';

export interface SignUp {
  readonly email: string;
  readonly password: string;
  readonly name: string | undefined;
  /** The token of an invite. */
  readonly inviteToken: string | undefined;
}

/** As the provider describes somebody. */
export interface NewUser {
  readonly email: string;
  readonly emailVerified: boolean;
}

export interface SignUpRules {
  readonly mode: SignUpMode;
  /** INIT entry of a new account. */
  readonly creditNanoUsd: bigint;
}

export interface SignUps {
  /**
   * Makes the account. Throws ApiError `sign_up_closed`, `invite_invalid`, `invalid_request` (also for an address
   * that is taken, except while everybody waits for approval: then the answer is the same as for a free one).
   */
  create(signUp: SignUp): Promise<'created' | 'awaits_approval'>;
  /**
   * Whether a provider's new user may be written, before they are. An invite lets them in: the one whose link they
   * came by, or one to their verified address.
   */
  admitNewUser(user: NewUser, inviteId: number | undefined): Promise<ErrorCode | undefined>;
  /** The account of a user that a provider brought, made when it is missing; tells why they may not come in. */
  admitSession(userId: string, inviteId: number | undefined): Promise<ErrorCode | undefined>;
}

export function createSignUps(
  store: Store,
  invites: Invites,
  rules: SignUpRules & { readonly now: () => number },
): SignUps {
  return {
    create: async (signUp) => await createFromForm(store, invites, { ...rules, signUp }),
    admitNewUser: async (user, inviteId) => {
      if (rules.mode !== 'invite') return undefined;
      const invite = await findInviteOfUser(invites, user, inviteId);
      return invite === undefined ? 'sign_up_closed' : undefined;
    },
    admitSession: async (userId, inviteId) => {
      const found =
        (await readState(store, userId)) ??
        (await makeAccount(store, invites, { ...rules, userId, inviteId }));
      if (found.awaits_approval === 1) return 'account_awaits_approval';
      return found.disabled_at === null ? undefined : 'account_disabled';
    },
  };
}

async function createFromForm(
  store: Store,
  invites: Invites,
  { mode, creditNanoUsd, now, signUp }: SignUpRules & { readonly now: () => number; readonly signUp: SignUp },
): Promise<'created' | 'awaits_approval'> {
  const invite = await findInvite(invites, mode, signUp);
  const awaitsApproval = mode === 'approval' && invite === undefined;
  if (awaitsApproval) await refuseFullQueue(store);
  const at = now();
  const account = await prepareAccount(
    {
      email: signUp.email,
      password: signUp.password,
      name: signUp.name,
      isAdmin: false,
      // An address that only its owner typed proves nothing; one that an administrator wrote into an invite does.
      isEmailVerified: invite !== undefined && invite.email !== null,
      awaitsApproval,
      openingCreditNanoUsd: creditNanoUsd,
    },
    at,
  );
  try {
    const written = await store.commit(
      invite === undefined
        ? account.statements
        : [
            claimInvite(invite, { email: signUp.email, at }),
            ...account.statements,
            ...settleInvite(invite, { ownerUserId: account.ownerUserId, at }),
          ],
    );
    if (!written.isCommitted) throw new ApiError('invite_invalid', { internal: written.reason });
  } catch (thrown) {
    if (!(thrown instanceof StoreError && thrown.kind === 'unique')) throw thrown;
    // The same answer and the same work as for a free address: the queue is no way to learn who is here.
    if (!awaitsApproval) throw emailTaken(thrown);
  }
  return awaitsApproval ? 'awaits_approval' : 'created';
}

async function findInvite(invites: Invites, mode: SignUpMode, signUp: SignUp): Promise<Invite | undefined> {
  if (signUp.inviteToken === undefined) {
    if (mode === 'invite') throw new ApiError('sign_up_closed');
    return undefined;
  }
  const invite = await invites.findOpen(signUp.inviteToken);
  if (invite === undefined) throw new ApiError('invite_invalid');
  if (invite.email !== null && invite.email !== signUp.email.toLowerCase()) {
    throw new ApiError('invite_invalid', { param: 'email' });
  }
  return invite;
}

async function findInviteOfUser(
  invites: Invites,
  { email, emailVerified }: NewUser,
  inviteId: number | undefined,
): Promise<Invite | undefined> {
  const shown = inviteId === undefined ? undefined : await invites.findOpenById(inviteId);
  if (shown !== undefined && (shown.email === null || shown.email === email.toLowerCase())) return shown;
  return emailVerified ? await invites.findOpenFor(email) : undefined;
}

async function refuseFullQueue(store: Store): Promise<void> {
  const { count } = await store.db
    .selectFrom('accounts')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('awaits_approval', '=', 1)
    .executeTakeFirstOrThrow();
  if (count < waitingAccountsMax) return;
  throw new ApiError('rate_limit_reached', {
    message: 'Too Many Requests: too many new accounts wait for approval. Ask an administrator.',
    retryAfterSeconds: 60,
  });
}

interface AccountState {
  readonly disabled_at: number | null;
  readonly awaits_approval: number;
}

async function readState(store: Store, userId: string): Promise<AccountState | undefined> {
  return await store.db
    .selectFrom('accounts')
    .select(['disabled_at', 'awaits_approval'])
    .where('owner_user_id', '=', userId)
    .executeTakeFirst();
}

interface NewProviderAccount extends SignUpRules {
  readonly now: () => number;
  readonly userId: string;
  readonly inviteId: number | undefined;
}

/**
 * better-auth writes a provider's users by itself; the account follows here, before the first session. A crash
 * between the two is mended by the next sign-in.
 */
async function makeAccount(
  store: Store,
  invites: Invites,
  { mode, creditNanoUsd, now, userId, inviteId }: NewProviderAccount,
): Promise<AccountState> {
  const user = await store.db
    .selectFrom('auth_users')
    .select(['email', 'email_verified'])
    .where('id', '=', userId)
    .executeTakeFirstOrThrow();
  const emailVerified = user.email_verified === true || user.email_verified === 1;
  const invite = await findInviteOfUser(invites, { email: user.email, emailVerified }, inviteId);
  const at = now();
  const account = insertAccount({
    ownerUserId: userId,
    isAdmin: false,
    awaitsApproval: mode !== 'open' && invite === undefined,
    openingCreditNanoUsd: creditNanoUsd,
    createdAt: at,
  });
  try {
    await store.commit(
      invite === undefined
        ? account
        : [
            claimInvite(invite, { email: user.email, at }),
            ...account,
            ...settleInvite(invite, { ownerUserId: userId, at }),
          ],
    );
  } catch (thrown) {
    // Two first sign-ins at once: the other one made it.
    if (!(thrown instanceof StoreError && thrown.kind === 'unique')) throw thrown;
  }
  const made = await readState(store, userId);
  if (made === undefined) throw new ApiError('invite_invalid', { internal: 'the invite was used meanwhile' });
  return made;
}
