import { createPeople, type People, type PeopleSettings } from './accounts/create-people.ts';
import { parseUsd } from './billing/money.ts';
import { ConfigError } from './config.ts';
import { type Config, environmentNameOf, type SettingName } from './settings.ts';
import type { Store } from './store/store.ts';

export interface PeopleHooks {
  /** Where this server answers, when no `publicUrl` is set; known once it listens. */
  localUrl(): string;
  onResetError(error: unknown): void;
  readonly now?: () => number;
}

/** People as the settings want them. Throws as `readPeopleSettings`. */
export function buildPeople(store: Store, config: Config, hooks: PeopleHooks): People {
  const publicUrl = (): string => config.publicUrl ?? hooks.localUrl();
  return createPeople(store, {
    settings: readPeopleSettings(config),
    publicUrl,
    onResetError: hooks.onResetError,
    ...(hooks.now !== undefined && { now: hooks.now }),
  });
}

/** Throws ConfigError when settings that need each other are not all there. */
export function readPeopleSettings(config: Config): PeopleSettings {
  return {
    signUpMode: config.signUpMode,
    signUpCreditNanoUsd: parseUsd(config.signUpCreditUsd),
    authSecret: config.authSecret,
    smtp: config.smtpUrl === undefined ? undefined : { url: config.smtpUrl, from: senderOf(config) },
    oidc: oidcOf(config),
  };
}

/** Mail servers refuse senders that cannot be answered, so an address without a real host must be chosen. */
function senderOf({ smtpFrom, publicUrl }: Config): string {
  if (smtpFrom !== undefined) return smtpFrom;
  if (publicUrl !== undefined) return `perigee@${new URL(publicUrl).hostname}`;
  throw missing('smtpFrom', 'smtpUrl');
}

function oidcOf(config: Config) {
  const { oidcIssuer: issuer, oidcClientId: clientId, oidcClientSecret: clientSecret } = config;
  if (issuer === undefined) return undefined;
  if (clientId === undefined) throw missing('oidcClientId', 'oidcIssuer');
  if (clientSecret === undefined) throw missing('oidcClientSecret', 'oidcIssuer');
  return { issuer, clientId, clientSecret, name: config.oidcName };
}

function missing(name: SettingName, because: SettingName): ConfigError {
  return new ConfigError(`${environmentNameOf(name)} must be set, because ${environmentNameOf(because)} is.`);
}
