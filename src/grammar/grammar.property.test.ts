import { Ajv2020 } from 'ajv/dist/2020.js';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { schemaSamples } from '../../test/schema-arbitrary.ts';
import type { JsonSchema } from '../chat/types.ts';
import { analyseSchema } from './analyse-schema.ts';
import { createOutputCheck } from './check-output.ts';
import { compileGrammar } from './compile-grammar.ts';
import type { CompletionPiece, ConstraintState } from './constraint.ts';

const encoder = new TextEncoder();
/** A walk asks about every byte at every step, so it costs more than a plain run. */
const walks = { numRuns: 100 };
const runs = { numRuns: 300 };

const startOf = (schema: JsonSchema): ConstraintState =>
  compileGrammar({ type: 'json-schema', schema }).start();

const bytesOf = (pieces: readonly CompletionPiece[]): Uint8Array =>
  Uint8Array.from(
    pieces.flatMap((piece) =>
      piece.type === 'text' ? [...(piece.leadingBytes ?? []), ...encoder.encode(piece.text)] : [],
    ),
  );

/** Bytes that end strings and containers come up more often than chance would have it. */
const closers = [...'"]},:'].map((character) => character.charCodeAt(0));

/** Walks along allowed bytes; `choices` decide which. Returns every state on the way. */
function walk(
  start: ConstraintState,
  choices: readonly number[],
): { bytes: number[]; states: ConstraintState[] } {
  const bytes: number[] = [];
  const states = [start];
  let at = start;
  for (const choice of choices) {
    const open = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) =>
      at.advance(Uint8Array.of(byte)),
    );
    if (open.length === 0) {
      expect(at.canEnd).toBe(true);
      break;
    }
    const closing = choice % 3 === 0 ? open.filter((byte) => closers.includes(byte)) : [];
    const pool = closing.length > 0 ? closing : open;
    const byte = pool[choice % pool.length] ?? 0;
    bytes.push(byte);
    at = at.advance(Uint8Array.of(byte)) ?? at;
    states.push(at);
  }
  return { bytes, states };
}

const choicesArbitrary = fc.array(fc.nat(100_000), { maxLength: 60 });

describe('grammar properties', () => {
  it('whatever is walked along allowed bytes and completed parses and validates', () => {
    fc.assert(
      fc.property(schemaSamples(), choicesArbitrary, ({ schema }, choices) => {
        const { bytes, states } = walk(startOf(schema), choices);
        const last = states.at(-1);
        const text = new TextDecoder('utf-8', { fatal: true }).decode(
          Uint8Array.from([...bytes, ...bytesOf(last?.shortestCompletion() ?? [])]),
        );
        const value: unknown = JSON.parse(text);
        if (!analyseSchema(schema, { param: 'schema' }).isExact) return;
        const ajv = new Ajv2020({ strict: false, validateFormats: false, ownProperties: true });
        expect(ajv.validate(schema, value), `${text} ${ajv.errorsText()}`).toBe(true);
        expect(createOutputCheck(schema)(text)).toEqual({ isValid: true });
      }),
      walks,
    );
  });

  it('a valid value in declared key order is accepted', () => {
    fc.assert(
      fc.property(schemaSamples(), ({ schema, value }) => {
        const end = startOf(schema).advance(encoder.encode(JSON.stringify(value)));
        expect(end?.canEnd).toBe(true);
      }),
      runs,
    );
  });

  it('the verdict does not depend on how the bytes are split', () => {
    fc.assert(
      fc.property(
        schemaSamples(),
        choicesArbitrary,
        fc.array(fc.integer({ min: 1, max: 7 })),
        (sample, choices, cuts) => {
          const start = startOf(sample.schema);
          const { bytes } = walk(start, choices);
          const all = Uint8Array.from(bytes);
          let at: ConstraintState | null = start;
          let position = 0;
          for (const size of [...cuts, all.length]) {
            at = at?.advance(all.subarray(position, position + size)) ?? null;
            position = Math.min(all.length, position + size);
          }
          const whole = start.advance(all);
          expect(at?.canEnd).toBe(whole?.canEnd);
          expect(at?.shortestCompletion()).toEqual(whole?.shortestCompletion());
        },
      ),
      walks,
    );
  });

  it('the shortest completion is accepted from everywhere, and ends the sentence', () => {
    fc.assert(
      fc.property(schemaSamples(), choicesArbitrary, ({ schema }, choices) => {
        for (const state of walk(startOf(schema), choices).states) {
          expect(state.advance(bytesOf(state.shortestCompletion()))?.canEnd).toBe(true);
        }
      }),
      walks,
    );
  });
});
