import { onionHostname } from "../hostname";
import type { OnionKey } from "../keys";
import { type PrefixBits, prefixBits } from "../vanity-prefix";
import { INVERSION_CELLS, invertPair } from "./field-inverse";
import { CELL_BYTES, type FieldVectors, instantiateFieldVectors, readNumber, writeNumber } from "./field-vectors";
import { batchNumbers, type Center, keyOfScalar, newSteps, nextCenter, randomCenter, reach } from "./vanity-walk";

/** Keys on each side of a batch's center: more spread its one inversion thinner, fewer stay in the processor's cache. */
const DEFAULT_PAIRS = 2048;

/** A search for one prefix in one thread. */
export interface VanitySearch {
  keysPerBatch: number;
  /** Looks at the next keys. @returns the first that has the prefix; undefined if none has */
  nextBatch(): OnionKey | undefined;
}

/**
 * Starts a search at a random key. It does not end by itself and starts again at another random key after a find.
 * @param pairs half the number of keys in a batch; even
 */
export function startVanitySearch(prefix: string, pairs = DEFAULT_PAIRS): VanitySearch {
  const bits = prefixBits(prefix);
  const steps = newSteps(pairs);
  const rows = newRows(pairs);
  const { memory } = rows.field;
  for (const [row, numbers] of [
    [rows.x, steps.x],
    [rows.squareOfX, steps.squareOfX],
    [rows.m, steps.m],
  ] as const) {
    numbers.forEach((number, index) => {
      writeNumber(memory, row + (index >> 1) * CELL_BYTES, index & 1, number);
    });
  }
  let center = randomCenter();
  const nextBatch = () => {
    const next = nextCenter(center, steps.stride);
    const inverse = divide(rows, center, next.product);
    const key = firstKey(rows, center.scalar, prefix, bits);
    // Never two keys of one walk: who knows the one would find the other.
    center = key ? randomCenter() : reach(next, inverse);
    return key;
  };
  return { keysPerBatch: 2 * pairs, nextBatch };
}

function firstKey(rows: Rows, scalar: bigint, prefix: string, bits: PrefixBits): OnionKey | undefined {
  for (const direction of [1, -1] as const) {
    for (const step of fittingSteps(rows, direction, bits)) {
      const key = keyOfScalar(scalar + 8n * BigInt(direction * step));
      if (key && onionHostname(key.publicKey).startsWith(prefix)) return key;
    }
  }
  return undefined;
}

/** Addresses of the rows in the memory of the field's functions: numbers i = 1 .. pairs, two in a cell. */
interface Rows {
  field: FieldVectors;
  cells: number;
  x: number;
  squareOfX: number;
  m: number;
  /** g - squareOfX, and then its inverse times k. */
  quotient: number;
  /** Products of quotients from the first on, and then c * x. */
  products: number;
  /** Inverses of such products from the last back, and then y coordinates. */
  result: number;
  /** Three cells: c, g, and powers on the way to an inverse. */
  c: number;
  g: number;
  powers: number;
}

function newRows(pairs: number): Rows {
  const cells = pairs / 2;
  let end = 0;
  const row = (length: number) => {
    const address = end;
    end += length * CELL_BYTES;
    return address;
  };
  const addresses = {
    ...{ x: row(cells), squareOfX: row(cells), m: row(cells) },
    ...{ quotient: row(cells), products: row(cells), result: row(cells) },
    ...{ c: row(1), g: row(1), powers: row(INVERSION_CELLS) },
  };
  return { field: instantiateFieldVectors(end), cells, ...addresses };
}

/**
 * Fills the row `quotient` with k / (g - x[i]²) and the row `products` with c * x[i].
 * @param extra a number to invert on the side
 * @returns 1 / extra
 */
function divide(rows: Rows, center: Center, extra: bigint): bigint {
  const { field, cells, quotient, products, result } = rows;
  const { multiply, memory } = field;
  const [step, last] = [CELL_BYTES, (cells - 1) * CELL_BYTES];
  const { c, g, k } = batchNumbers(center);
  writeCell(memory, rows.c, c, c);
  writeCell(memory, rows.g, g, g);
  field.subtract(quotient, rows.g, rows.squareOfX, cells, step, 0, step);
  copyCell(memory, products, quotient);
  multiply(products + step, products, quotient + step, cells - 1, step, step, step);
  // Both halves of the last cell hold the product of a half of the numbers; one inversion does for both and `extra`.
  const [even, odd] = [readNumber(memory, products + last, 0), readNumber(memory, products + last, 1)];
  const [inverse, inverseOfExtra] = invertPair(field, rows.powers, [even * odd, extra]);
  writeCell(memory, result + last, inverse * odd * k, inverse * even * k);
  multiply(result + last - step, result + last, quotient + last, cells - 1, -step, -step, -step);
  copyCell(memory, quotient, result);
  multiply(quotient + step, result + step, products, cells - 1, step, step, step);
  multiply(products, rows.c, rows.x, cells, step, 0, step);
  return inverseOfExtra;
}

/** The steps i, with their cell neighbours, at which k * (m[i] ± c * x[i]) / (g - x[i]²) has the wanted bits. */
function* fittingSteps(rows: Rows, direction: 1 | -1, { mask, wanted }: PrefixBits): Generator<number> {
  const { field, cells, quotient, products, result, m } = rows;
  const combine = direction === 1 ? field.add : field.subtract;
  combine(result, m, products, cells, CELL_BYTES, CELL_BYTES, CELL_BYTES);
  field.multiply(result, result, quotient, cells, CELL_BYTES, CELL_BYTES, CELL_BYTES);
  let from = 0;
  while (from < cells) {
    const left = field.match(result + from * CELL_BYTES, cells - from, mask, wanted);
    if (left === 0) return;
    const cell = cells - left;
    yield 2 * cell + 1;
    yield 2 * cell + 2;
    from = cell + 1;
  }
}

function writeCell(memory: WebAssembly.Memory, address: number, first: bigint, second: bigint): void {
  writeNumber(memory, address, 0, first);
  writeNumber(memory, address, 1, second);
}

function copyCell(memory: WebAssembly.Memory, to: number, from: number): void {
  new Uint8Array(memory.buffer).copyWithin(to, from, from + CELL_BYTES);
}
