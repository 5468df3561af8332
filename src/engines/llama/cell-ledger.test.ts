import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCellLedger } from './cell-ledger.ts';

describe('cell ledger', () => {
  it('counts shared cells once, and frees them with their last holder', () => {
    const ledger = createCellLedger();
    ledger.append(1, 100);
    ledger.share(1, 2, 70);
    ledger.append(2, 10);
    expect(ledger.usedCells).toBe(110);
    expect(ledger.lengthOf(2)).toBe(80);
    ledger.truncate(1, 0);
    expect(ledger.usedCells).toBe(80);
    ledger.truncate(2, 0);
    expect(ledger.usedCells).toBe(0);
  });

  it('never lets one holder grow into cells of another', () => {
    const ledger = createCellLedger();
    ledger.append(1, 10);
    ledger.share(1, 2, 10);
    ledger.append(1, 5);
    ledger.append(2, 7);
    expect(ledger.usedCells).toBe(22);
    ledger.truncate(2, 10);
    expect(ledger.usedCells).toBe(15);
  });

  it('counts the cells that only idle sequences hold', () => {
    const ledger = createCellLedger();
    ledger.append(1, 64);
    ledger.share(1, 2, 40);
    ledger.append(3, 5);
    expect(ledger.countHeldOnlyBy((sequence) => sequence === 1)).toBe(24);
    expect(ledger.countHeldOnlyBy((sequence) => sequence !== 3)).toBe(64);
  });

  it('agrees with real cells under any order of operations', () => {
    const operation = fc.tuple(
      fc.nat(4),
      fc.nat(4),
      fc.nat(30),
      fc.constantFrom('append', 'share', 'truncate'),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const ledger = createCellLedger();
        const cells = new Map<number, number[]>();
        let nextCell = 0;
        for (const [sequence, other, count, kind] of operations) {
          const own = cells.get(sequence) ?? [];
          if (kind === 'append') {
            ledger.append(sequence, count);
            cells.set(sequence, [...own, ...Array.from({ length: count }, () => nextCell++)]);
          } else if (kind === 'truncate') {
            const length = Math.min(count, own.length);
            ledger.truncate(sequence, length);
            cells.set(sequence, own.slice(0, length));
          } else if (sequence !== other && (cells.get(other) ?? []).length === 0) {
            const length = Math.min(count, own.length);
            ledger.share(sequence, other, length);
            cells.set(other, own.slice(0, length));
          }
          expect(ledger.usedCells).toBe(new Set([...cells.values()].flat()).size);
          for (const [key, held] of cells) expect(ledger.lengthOf(key)).toBe(held.length);
        }
      }),
    );
  });
});
