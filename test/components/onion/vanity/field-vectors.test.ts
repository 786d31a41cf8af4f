import fc from "fast-check";
import { expect, test } from "vitest";
import { INVERSION_CELLS, invertPair } from "../../../../components/onion/vanity/field-inverse";
import {
  CELL_BYTES,
  instantiateFieldVectors,
  p,
  readNumber,
  writeNumber,
} from "../../../../components/onion/vanity/field-vectors";

const field = instantiateFieldVectors(64 * CELL_BYTES);
const { memory } = field;
const at = (cell: number) => cell * CELL_BYTES;
const mod = (value: bigint) => ((value % p) + p) % p;

/** Any number below p, and those where carries run far. */
const numbers = fc.oneof(
  fc.bigInt(0n, p - 1n),
  fc.constantFrom(0n, 1n, 2n, 18n, 19n, p - 1n, p - 2n, p - 19n, p / 2n, p / 2n + 1n, 2n ** 254n, 2n ** 255n - 20n),
  fc.nat(254).map((bits) => 2n ** BigInt(bits) - 1n),
  fc.nat(254).map((bits) => p - 2n ** BigInt(bits)),
);
const pairs = fc.tuple(numbers, numbers);

function write(cell: number, [first, second]: readonly [bigint, bigint]): void {
  writeNumber(memory, at(cell), 0, first);
  writeNumber(memory, at(cell), 1, second);
}

function read(cell: number): [bigint, bigint] {
  return [readNumber(memory, at(cell), 0), readNumber(memory, at(cell), 1)];
}

test("a number comes back, in either half", () => {
  fc.assert(
    fc.property(pairs, (pair) => {
      write(0, pair);
      expect(read(0)).toEqual(pair);
    }),
  );
});

test("products of numbers are those of BigInt", () => {
  fc.assert(
    fc.property(pairs, pairs, (a, b) => {
      write(0, a);
      write(1, b);
      field.multiply(at(2), at(0), at(1), 1, 0, 0, 0);
      expect(read(2)).toEqual([mod(a[0] * b[0]), mod(a[1] * b[1])]);
    }),
    { numRuns: 1000 },
  );
});

test("products of sums are exact: up to four numbers by two", () => {
  fc.assert(
    fc.property(pairs, pairs, pairs, pairs, (a, b, c, d) => {
      [a, b, c, d].forEach((pair, cell) => {
        write(cell, pair);
      });
      field.add(at(4), at(0), at(1), 1, 0, 0, 0);
      field.subtract(at(5), at(2), at(3), 1, 0, 0, 0);
      field.add(at(6), at(4), at(5), 1, 0, 0, 0);
      field.multiply(at(7), at(6), at(5), 1, 0, 0, 0);
      const expected = [0, 1].map((half) => {
        const [difference, sum] = [(c[half] ?? 0n) - (d[half] ?? 0n), (a[half] ?? 0n) + (b[half] ?? 0n)];
        return mod((sum + difference) * difference);
      });
      expect(read(7)).toEqual(expected);
    }),
    { numRuns: 1000 },
  );
});

test("a product is reduced again: a thousand squarings in place stay exact", () => {
  fc.assert(
    fc.property(numbers, (number) => {
      write(0, [number, p - number]);
      field.multiply(at(0), at(0), at(0), 1000, 0, 0, 0);
      let expected = number;
      for (let step = 0; step < 1000; step++) expected = (expected * expected) % p;
      expect(read(0)).toEqual([expected, expected]);
    }),
    { numRuns: 20 },
  );
});

test("steps walk rows forward, backward and in chains", () => {
  const row = Array.from({ length: 8 }, (_, index): [bigint, bigint] => [BigInt(index + 2), p - BigInt(index + 2)]);
  row.forEach((pair, index) => {
    write(index, pair);
  });
  write(8, [1n, 1n]);
  // Cell 9 + i is the product of cells 0 to i; cell 16 down to 9 then reads them back into 24 and below.
  field.multiply(at(9), at(8), at(0), 8, CELL_BYTES, CELL_BYTES, CELL_BYTES);
  expect(read(16)[0]).toBe(362_880n);
  field.multiply(at(24), at(16), at(8), 8, -CELL_BYTES, -CELL_BYTES, 0);
  expect(read(17)).toEqual(read(9));
  expect(read(24)).toEqual(read(16));
});

test("inverses are those of BigInt, two at once", () => {
  fc.assert(
    fc.property(fc.bigInt(1n, p - 1n), fc.bigInt(1n, p - 1n), (first, second) => {
      expect(INVERSION_CELLS).toBeLessThan(32);
      const [a, b] = invertPair(field, at(32), [first, second]);
      expect([mod(a * first), mod(b * second)]).toEqual([1n, 1n]);
    }),
    { numRuns: 50 },
  );
});

test("match finds the number whose low bits are wanted, of either sign inside", () => {
  const low = fc.bigInt(0n, 2n ** 40n - 1n);
  // Nearer to 0 the sign inside is not seen: one number in 2^62, which a search passes over.
  const almostAll = fc.bigInt(2n ** 193n, p - 2n ** 193n);
  fc.assert(
    fc.property(almostAll, low, fc.nat(9), fc.nat(1), (number, mask, cell, half) => {
      for (let other = 0; other < 10; other++) write(other, [number ^ 1n, number ^ 1n].map(mod) as [bigint, bigint]);
      writeNumber(memory, at(cell), half, number);
      expect(field.match(0, 10, mask | 1n, number & (mask | 1n))).toBe(10 - cell);
    }),
    { numRuns: 500 },
  );
});

test("match finds nothing where nothing is", () => {
  for (let cell = 0; cell < 10; cell++) write(cell, [0n, p - 1n]);
  expect(field.match(0, 10, 0xffn, 0x13n)).toBe(0);
});
