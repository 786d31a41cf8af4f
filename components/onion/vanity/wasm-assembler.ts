/**
 * The few WebAssembly instructions that the vanity search is made of, as bytes. Code is a flat list of bytes, so that
 * a function's body can be put together by ordinary loops.
 * Source: https://webassembly.github.io/spec/core/binary/
 */
export type Code = readonly number[];

const VALUE_TYPES = { i32: 0x7f, i64: 0x7e, v128: 0x7b } as const;
type ValueType = keyof typeof VALUE_TYPES;

export interface WasmFunction {
  name: string;
  parameters: readonly ValueType[];
  result?: ValueType;
  /** Locals besides the parameters; they follow those in the index space. */
  locals: readonly ValueType[];
  body: Code;
}

/** A module that imports one memory (`env.memory`, at least `pages` of 64 KiB) and exports each function. */
export function assembleModule(functions: readonly WasmFunction[], pages: number): Uint8Array<ArrayBuffer> {
  const types = functions.map((f) => [0x60, ...types_(f.parameters), ...types_(f.result ? [f.result] : [])]);
  const memoryImport = [...name("env"), ...name("memory"), 0x02, 0x00, ...unsigned(pages)];
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, types),
    ...section(2, [memoryImport]),
    ...section(
      3,
      functions.map((_, index) => unsigned(index)),
    ),
    ...section(
      7,
      functions.map((f, index) => [...name(f.name), 0x00, ...unsigned(index)]),
    ),
    ...section(10, functions.map(functionCode)),
  ]);
}

export const localGet = (index: number): Code => [0x20, ...unsigned(index)];
export const localSet = (index: number): Code => [0x21, ...unsigned(index)];
export const localTee = (index: number): Code => [0x22, ...unsigned(index)];
export const i32Const = (value: number): Code => [0x41, ...signed(value)];
export const i32Add: Code = [0x6a];
export const i32Sub: Code = [0x6b];
export const returnNow: Code = [0x0f];

/** Runs `body` again and again while the i32 that it leaves is not 0. */
export const loopWhile = (body: Code): Code => [0x03, 0x40, ...body, 0x0d, 0x00, 0x0b];
/** Runs `body` if the i32 on the stack is not 0. */
export const ifThen = (body: Code): Code => [0x04, 0x40, ...body, 0x0b];

/** Loads 16 bytes at the address on the stack plus `offset`. */
export const v128Load = (offset: number): Code => simd(0, 4, ...unsigned(offset));
export const v128Store = (offset: number): Code => simd(11, 4, ...unsigned(offset));
export const v128And: Code = simd(78);
export const i64x2Splat: Code = simd(18);
export const i64x2Equal: Code = simd(214);
export const i64x2Bitmask: Code = simd(196);
export const f64x2Floor: Code = simd(117);
export const f64x2Add: Code = simd(240);
export const f64x2Sub: Code = simd(241);
export const f64x2Mul: Code = simd(242);

/** The same number in both halves of a vector. */
export function f64x2Const(value: number): Code {
  const bytes = new Uint8Array(new Float64Array([value, value]).buffer);
  return simd(12, ...bytes);
}

function simd(opcode: number, ...immediates: number[]): Code {
  return [0xfd, ...unsigned(opcode), ...immediates];
}

function functionCode({ locals, body }: WasmFunction): number[] {
  const code = [...unsigned(locals.length), ...locals.flatMap((type) => [1, VALUE_TYPES[type]]), ...body, 0x0b];
  return [...unsigned(code.length), ...code];
}

function types_(types: readonly ValueType[]): number[] {
  return [types.length, ...types.map((type) => VALUE_TYPES[type])];
}

function section(id: number, entries: readonly (readonly number[])[]): number[] {
  const content = [...unsigned(entries.length), ...entries.flat()];
  return [id, ...unsigned(content.length), ...content];
}

function name(text: string): number[] {
  return [text.length, ...Buffer.from(text, "ascii")];
}

/** LEB128 of a number from 0. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

/** Signed LEB128 of a 32-bit number. */
function signed(value: number): number[] {
  const low = value & 0x7f;
  const rest = value >> 7;
  const ends = rest === (low & 0x40 ? -1 : 0);
  return ends ? [low] : [low | 0x80, ...signed(rest)];
}
