import { describe, expect, it } from 'vitest';
import { listSettings } from './settings.ts';
import { findUnknownVariables } from './unknown-variables.ts';

describe('variables that are no setting', () => {
  it.each([
    ['PERIGEE_DATADIR', 'PERIGEE_DATA_DIR'],
    ['PERIGEE_PROT', 'PERIGEE_PORT'],
    ['PERIGEE_SIGNUP_CREDIT', 'PERIGEE_SIGN_UP_CREDIT_USD'],
    ['PERIGEE_CONCURRENT_REQUEST', 'PERIGEE_CONCURRENT_REQUESTS'],
    ['PERIGEE_OIDC_CLIENTID', 'PERIGEE_OIDC_CLIENT_ID'],
    ['PERIGEE_Q', undefined],
    ['PERIGEE_COLOUR_OF_THE_SKY', undefined],
  ])('%s: %s was meant', (name, nearest) => {
    expect(findUnknownVariables({ [name]: 'x' }, [])).toEqual([{ name, nearest }]);
  });

  it('are none that is a setting, an alias, somebody else’s, empty, or named by the configuration', () => {
    const own = listSettings().map(({ name }) => `PERIGEE_${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`);
    const aliases = ['DATABASE_URL', 'REDIS_URL', 'PERIGEE_SIGNUP_CREDIT_USD'];
    const others = ['PATH', 'MY_PERIGEE_PORT', 'perigee_port', 'PERIGEE_UPSTREAM_KEY'];
    const names = [...own, ...aliases, ...others];
    const environment = Object.fromEntries(names.map((name) => [name, 'x']));
    expect(findUnknownVariables({ ...environment, PERIGEE_PROT: '' }, ['PERIGEE_UPSTREAM_KEY'])).toEqual([]);
  });
});
