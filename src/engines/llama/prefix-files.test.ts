import { expect, it } from 'vitest';
import { openPrefixFiles } from './prefix-files.ts';

const identity = { modelDigest: 'a', library: 'llama.cpp', kvType: 'f16', isKvUnified: true };

it.runIf(process.platform === 'linux')('refuses a folder that cannot be made, and does not hang', () => {
  const folder = '/proc/perigee/prefixes';
  expect(() => openPrefixFiles({ folder, bytesMax: 1, identity, contextTokens: 1 })).toThrow('ENOENT');
});
