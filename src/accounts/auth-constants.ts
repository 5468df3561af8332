/** What callers of better-auth must know beside it; apart, so that they do not load it. */

/** The name under which a provider's identities are kept, and the last part of its callback address. */
export const oidcProviderId = 'oidc';

/** An hour is enough to finish, and a link in an old mail is worth nothing. */
export const resetTokenSeconds = 3_600;

/** Names the client's address to better-auth; what a client itself sends under this name is never passed on. */
export const clientAddressHeader = 'x-perigee-client-address';
