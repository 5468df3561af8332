import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { drawKeySecret, hashKeySecret, isKeySecret, keyPrefixOf } from './key-secret.ts';

describe('a key secret', () => {
  it('is 43 characters of base 62 that begin at random', () => {
    const secrets = Array.from({ length: 2_000 }, drawKeySecret);
    expect(secrets.filter((secret) => !/^[0-9A-Za-z]{43}$/.test(secret))).toEqual([]);
    expect(new Set(secrets.map(keyPrefixOf)).size).toBe(secrets.length);
    expect(new Set(secrets.map((secret) => secret.charAt(0))).size).toBeGreaterThan(50);
  });

  it('is kept as its SHA-256', () => {
    const secret = drawKeySecret();
    expect(hashKeySecret(secret)).toBe(createHash('sha256').update(secret).digest('hex'));
  });

  it.each([
    '',
    'short',
    'x'.repeat(31),
    'x'.repeat(201),
    `${'x'.repeat(40)} y`,
    `${'x'.repeat(40)}/`,
    'é'.repeat(40),
  ])('is not %j', (text) => {
    expect(isKeySecret(text)).toBe(false);
  });
});
