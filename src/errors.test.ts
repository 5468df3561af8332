import { describe, expect, it } from 'vitest';
import { ApiError, errorCatalogue, toApiError } from './errors.ts';
import { StoreError } from './store/store-error.ts';

const entries = Object.entries(errorCatalogue);

describe('a database that is away', () => {
  it('is a 503 that may be sent again, and its own words stay inside', () => {
    const lost = toApiError(new StoreError('unavailable', 'connect ECONNREFUSED 10.0.0.1:5432'));
    expect(lost).toMatchObject({ code: 'store_unavailable', status: 503, isRetryable: true });
    expect(lost.message).not.toContain('10.0.0.1');
    expect(toApiError(new StoreError('other', 'a defect')).code).toBe('internal_error');
  });
});

describe('the catalogue of errors', () => {
  it('never answers 402, which clients do not know', () => {
    expect(entries.filter(([, { status }]) => status === 402)).toEqual([]);
  });

  it.each([400, 401, 403, 409])('asks nobody to repeat what a %i refused', (status) => {
    const refusals = entries.filter(([, each]) => each.status === status);
    expect(refusals).not.toEqual([]);
    expect(refusals.filter(([, { isRetryable }]) => isRetryable)).toEqual([]);
  });

  it('keeps 429 for rates and overload, and money and scopes on 403', () => {
    const typesOf = (status: number) =>
      Object.fromEntries(
        entries.filter(([, each]) => each.status === status).map(([code, { type }]) => [code, type]),
      );
    expect(typesOf(429)).toEqual({
      rate_limit_reached: 'rate_limit_reached_error',
      request_exceeds_rate_limit: 'rate_limit_reached_error',
      engine_overloaded: 'engine_overloaded_error',
    });
    expect(typesOf(403)).toEqual({
      insufficient_balance: 'exceeded_current_quota_error',
      key_limit_reached: 'exceeded_current_quota_error',
      scope_denied: 'permission_denied_error',
      account_disabled: 'permission_denied_error',
      account_awaits_approval: 'permission_denied_error',
      admin_required: 'permission_denied_error',
      csrf_refused: 'permission_denied_error',
      sign_up_closed: 'permission_denied_error',
    });
    expect(typesOf(401)).toEqual({
      invalid_api_key: 'invalid_authentication_error',
      not_signed_in: 'invalid_authentication_error',
      sign_in_failed: 'invalid_authentication_error',
    });
    expect(typesOf(409)).toEqual({
      conflict: 'invalid_request_error',
      idempotency_conflict: 'invalid_request_error',
    });
  });
});

it('what nobody expected keeps its message to itself', () => {
  const error = toApiError(new Error('password=sesame'));
  expect(error).toBeInstanceOf(ApiError);
  expect([error.code, error.message]).toEqual(['internal_error', errorCatalogue.internal_error.message]);
});
