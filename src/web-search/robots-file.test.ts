import { describe, expect, it } from 'vitest';
import { parseRobotsFile } from './robots-file.ts';

const isAllowed = (file: string, path: string): boolean =>
  parseRobotsFile(file, 'Perigee').isAllowed(`https://example.org${path}`);

describe('robots.txt', () => {
  it.each([
    ['', '/a', true],
    ['User-agent: *\nDisallow: /', '/a', false],
    ['User-agent: *\nDisallow: /', '/robots.txt', true],
    ['User-agent: *\nDisallow:', '/a', true],
    ['User-agent: *\nDisallow: /a # comment', '/abc', false],
    ['\ufeffUSER-AGENT : *\r\nDISALLOW : /a', '/a', false],
    ['User-agent: Other\nDisallow: /', '/a', true],
    // The own group replaces the one for everybody; groups of one name are one; agents may share a group.
    ['User-agent: *\nDisallow: /\n\nUser-agent: perigee/1.0\nDisallow: /b', '/a', true],
    [
      'User-agent: Perigee\nDisallow: /a\n\nUser-agent: *\nDisallow: /\n\nUser-agent: Perigee\nDisallow: /c',
      '/c',
      false,
    ],
    ['User-agent: Other\nUser-agent: Perigee\nDisallow: /a', '/a', false],
    ['User-agent: Perigee\nAllow: /\nUser-agent: Other\nDisallow: /', '/a', true],
    // The longest match decides, and allowing wins a draw.
    ['User-agent: *\nDisallow: /a\nAllow: /a/b', '/a/b/c', true],
    ['User-agent: *\nAllow: /a\nDisallow: /a/b', '/a/b/c', false],
    ['User-agent: *\nDisallow: /a\nAllow: /a', '/a', true],
    ['User-agent: *\nDisallow: /*.pdf$', '/x/a.pdf', false],
    ['User-agent: *\nDisallow: /*.pdf$', '/x/a.pdf?page=1', true],
    ['User-agent: *\nDisallow: /a$', '/a', false],
    ['User-agent: *\nDisallow: /a$', '/ab', true],
    ['User-agent: *\nDisallow: /a*b*c', '/a/x/b/y/c/z', false],
    ['User-agent: *\nDisallow: /a*b*c', '/a/x/c/y/b', true],
    ['User-agent: *\nDisallow: /*ab$', '/ab/ab', false],
    ['User-agent: *\nDisallow: /ab*b$', '/ab', true],
    ['User-agent: *\nDisallow: /*?id=', '/a?id=1', false],
    // One path, however it is written.
    ['User-agent: *\nDisallow: /caf%c3%a9', '/café', false],
    ['User-agent: *\nDisallow: /café', '/caf%C3%A9', false],
    ['User-agent: *\nDisallow: /%7Euser', '/~user', false],
    ['User-agent: *\nDisallow: /a%2Fb', '/a/b', true],
  ])('%j for %s: %s', (file, path, expected) => {
    expect(isAllowed(file, path)).toBe(expected);
  });

  it('that is made to be slow is not', () => {
    const rules = `Disallow: /${'*a'.repeat(1_000)}b\n`.repeat(250);
    // With a matcher that tries each way this does not end within the test's time limit.
    for (let count = 0; count < 20; count += 1) {
      expect(isAllowed(`User-agent: *\n${rules}`, `/${'a'.repeat(2_000)}`)).toBe(true);
    }
  });
});
