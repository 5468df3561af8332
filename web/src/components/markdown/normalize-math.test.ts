import { describe, expect, it } from 'vitest';
import { hasMath, normalizeMath } from './normalize-math.ts';

describe('formulas', () => {
  it('in TeX notation become Markdown’s', () => {
    expect(normalizeMath(String.raw`So \(a^2\) and \[ b^2 \] hold.`)).toBe(
      'So $$a^2$$ and \n$$\nb^2\n$$\n hold.',
    );
  });

  it('are not looked for in code', () => {
    const code = '`\\(a\\)` and\n```\n\\[b\\]\n```';
    expect(normalizeMath(code)).toBe(code);
  });

  it('are not seen in prices', () => {
    expect(hasMath('It costs $5, not $10.')).toBe(false);
    expect(hasMath('$$x$$')).toBe(true);
  });
});
