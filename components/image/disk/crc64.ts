import {
  assembleModule,
  type Code,
  i32Add,
  i32Const,
  localGet,
  localSet,
  localTee,
  loopWhile,
} from "../../onion/vanity/wasm-assembler";

/**
 * Azure Storage's CRC-64 (`x-ms-content-crc64`), which other places call CRC-64/NVME: reflected, all ones before and
 * after. Sixteen bytes a step, by tables, in WebAssembly: two to three times as fast as MD5, at 64 bits.
 * @see https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-64-nvme
 */
export interface Crc64 {
  /** Buffers inside the code's own memory: what lies in them is not copied. */
  readonly buffers: readonly Buffer[];
  /** The checksum as Azure wants it, 8 bytes, of a part of one of the buffers; a multiple of 16 bytes long. */
  of(bytes: Buffer): Buffer;
}

const POLYNOMIAL = 0x9a6c9329ac4bc9b5n;
const STEP = 16;
const TABLE_BYTES = 256 * 8;
/** In memory: the tables, the result, and from the next page on the buffers. */
const RESULT = STEP * TABLE_BYTES;
const PAGE = 64 * 1024;

/** @param size of each buffer in bytes, whole pages of 64 KiB */
export function createCrc64(count: number, size: number): Crc64 {
  const pages = 1 + (count * size) / PAGE;
  const memory = new WebAssembly.Memory({ initial: pages });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(assemble(pages)), { env: { memory } });
  const update = instance.exports.update as (start: number, end: number) => void;
  writeTables(new BigUint64Array(memory.buffer, 0, RESULT / 8));
  return {
    buffers: Array.from({ length: count }, (_, index) => Buffer.from(memory.buffer, PAGE + index * size, size)),
    of(bytes) {
      if (bytes.buffer !== memory.buffer || bytes.length % STEP !== 0) {
        throw new RangeError(`a CRC-64 is taken of ${STEP}-byte steps of its own buffers, got ${bytes.length} bytes`);
      }
      update(bytes.byteOffset, bytes.byteOffset + bytes.length);
      return Buffer.from(new Uint8Array(memory.buffer, RESULT, 8)); // a copy
    },
  };
}

/** Table k holds the checksum's change by each byte that has k bytes behind it in a step. */
function writeTables(tables: BigUint64Array): void {
  for (let byte = 0; byte < 256; byte++) {
    let value = BigInt(byte);
    for (let bit = 0; bit < 8; bit++) value = value & 1n ? (value >> 1n) ^ POLYNOMIAL : value >> 1n;
    tables[byte] = value;
  }
  for (let index = 256; index < tables.length; index++) {
    const before = tables[index - 256] ?? 0n;
    tables[index] = (before >> 8n) ^ (tables[Number(before & 0xffn)] ?? 0n);
  }
}

const [start, end, crc, low, high] = [0, 1, 2, 3, 4];
const i64Load = (offset: number): Code => [0x29, 3, ...unsigned(offset)];
const i64Store = (offset: number): Code => [0x37, 3, ...unsigned(offset)];
const i64Const = (value: number): Code => [0x42, value & 0x7f]; // from -64 to 63
const i64Xor: Code = [0x85];
const i64ShiftRight: Code = [0x88];
const i64ShiftLeft: Code = [0x86];
const i32Wrap: Code = [0xa7];
const i32And: Code = [0x71];
const i32LessUnsigned: Code = [0x49];

/** `update(start, end)`: leaves the checksum of that part of the memory at RESULT. */
function assemble(pages: number): Uint8Array<ArrayBuffer> {
  const step: Code = [
    ...[...localGet(start), ...i64Load(0), ...localGet(crc), ...i64Xor, ...localSet(low)],
    ...[...localGet(start), ...i64Load(8), ...localSet(high)],
    ...lookUps(8, 16), // these do not wait for the step before
    ...[...lookUps(0, 8), ...i64Xor],
    ...localSet(crc),
    ...[...localGet(start), ...i32Const(STEP), ...i32Add, ...localTee(start), ...localGet(end), ...i32LessUnsigned],
  ];
  const body: Code = [
    ...[...i64Const(-1), ...localSet(crc)],
    ...loopWhile(step),
    ...[...i32Const(0), ...localGet(crc), ...i64Const(-1), ...i64Xor, ...i64Store(RESULT)],
  ];
  return assembleModule([{ name: "update", parameters: ["i32", "i32"], locals: ["i64", "i64", "i64"], body }], pages);
}

/** The sum of some bytes' table entries, added in pairs, which a processor does side by side. */
function lookUps(first: number, end: number): Code {
  if (end - first === 1) return lookUp(first);
  const middle = (first + end) / 2;
  return [...lookUps(first, middle), ...lookUps(middle, end), ...i64Xor];
}

/** Takes byte `place` of the step through its table. */
function lookUp(place: number): Code {
  const shift = (place % 8) * 8 - 3; // the byte times 8, as an address
  return [
    ...localGet(place < 8 ? low : high),
    ...(shift < 0 ? [...i64Const(-shift), ...i64ShiftLeft] : [...i64Const(shift), ...i64ShiftRight]),
    ...[...i32Wrap, ...i32Const(0x7f8), ...i32And, ...i64Load((STEP - 1 - place) * TABLE_BYTES)],
  ];
}

/** LEB128 of a number from 0. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}
