/** What a key's secret looks like, how it is drawn, and the two things that are kept of it. */
import { hash, randomBytes } from 'node:crypto';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** 62^43 > 2^256. */
const secretLength = 43;
const prefixLength = 8;

/** Also for secrets that the operator chose; the prefix stands in addresses, hence URL-safe characters only. */
const secretPattern = /^[A-Za-z0-9._~-]{32,200}$/;

/** 256 random bits in base 62. No common prefix, so that the first 8 characters tell keys apart. */
export function drawKeySecret(): string {
  let rest = BigInt(`0x${randomBytes(32).toString('hex')}`);
  let secret = '';
  for (let position = 0; position < secretLength; position += 1) {
    secret += alphabet.charAt(Number(rest % 62n));
    rest /= 62n;
  }
  return secret;
}

/** False for anything that cannot be a key: refused before the database is asked. */
export function isKeySecret(text: string): boolean {
  return secretPattern.test(text);
}

/** The first 8 characters: safe to show, unique over all keys. */
export function keyPrefixOf(secret: string): string {
  return secret.slice(0, prefixLength);
}

/**
 * SHA-256, hexadecimal. A fast hash is right here: the secret has 256 bits, so there is nothing to guess. Looking
 * up by the hash also leaves no timing to measure, since a near miss hashes to something else entirely.
 */
export function hashKeySecret(secret: string): string {
  return hash('sha256', secret, 'hex');
}
