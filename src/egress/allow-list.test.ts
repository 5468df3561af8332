import { describe, expect, it } from 'vitest';
import { createAllowList, parseAllowEntry } from './allow-list.ts';

const isOpen = (entry: string, host: string, port = 80): boolean =>
  createAllowList([entry], [80, 443]).isAllowed(host, port);

describe('an allow-list', () => {
  it.each([
    ['wiki.corp', 'wiki.corp', 80, true],
    ['wiki.corp', 'WIKI.corp.', 443, true],
    ['wiki.corp', 'wiki.corp', 8080, false],
    ['wiki.corp', 'evil-wiki.corp', 80, false],
    ['wiki.corp:8080', 'wiki.corp', 8080, true],
    ['wiki.corp:8080', 'wiki.corp', 80, false],
    ['wiki.corp:*', 'wiki.corp', 1234, true],
    ['*.corp', 'a.b.corp', 80, true],
    ['*.corp', 'corp', 80, false],
    ['*.corp', 'evilcorp', 80, false],
    ['10.1.0.0/16', '10.1.2.3', 80, true],
    ['10.1.0.0/16', '10.2.2.3', 80, false],
    ['10.1.0.0/16:8080', '10.1.2.3', 8080, true],
    ['[::1]:9000', '[::1]', 9000, true],
    ['[::1]', '0:0:0:0:0:0:0:1', 80, true],
    ['[fd00::]/8', 'fd12::1', 80, true],
    ['[fd00::]/8', '10.0.0.1', 80, false],
  ])('with %s: %s on port %d is open: %s', (entry, host, port, expected) => {
    expect(isOpen(entry, host, port)).toBe(expected);
  });

  it.each([
    '',
    '*',
    'a b',
    'http://wiki.corp',
    'wiki.corp:',
    'wiki.corp:0',
    'wiki.corp:99999',
    '10.0.0.0/99',
    'a..b',
  ])('does not take "%s" for an entry', (text) => {
    expect(parseAllowEntry(text)).toBeUndefined();
  });
});
