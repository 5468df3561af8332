import { expect, it } from 'vitest';
import { findVectors } from './machine-checks.ts';

it.each([
  ['fpu sse4_2 avx', undefined],
  ['avx avx2 fma', 'AVX2'],
  ['avx avx2 fma avx512f avx512cd avx512er avx512pf', 'AVX2'],
  ['avx avx2 fma avx512f avx512cd avx512bw avx512dq avx512vl', 'AVX-512'],
])('doctor promises of %s what the engine has a build for: %s', (flags, vectors) => {
  expect(findVectors(new Set(flags.split(' ')))).toBe(vectors);
});
