import { describe, expect, it } from 'vitest';
import { ApiFailure, failureOf } from './api-failure.ts';

const refused = (message: string) => new ApiFailure({ status: 400, message, param: 'password' });

describe('what is wrong with a field', () => {
  it('is said without the field’s name, which stands above it', () => {
    expect(failureOf(refused('Invalid request: password: must have at least 8 characters'), 'password')).toBe(
      'Must have at least 8 characters',
    );
  });

  it('is the message itself where it does not begin with the field', () => {
    expect(failureOf(refused('The current password is wrong.'), 'password')).toBe(
      'The current password is wrong.',
    );
  });

  it('is nothing where another field, or none, is at fault', () => {
    expect(failureOf(refused('Invalid request: password: too long'), 'email')).toBeUndefined();
    expect(failureOf(new Error('password'), 'password')).toBeUndefined();
    expect(failureOf(null, 'password')).toBeUndefined();
  });
});
