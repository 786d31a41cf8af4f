import {
  assembleModule,
  type Code,
  f64x2Add,
  f64x2Const,
  f64x2Floor,
  f64x2Mul,
  f64x2Sub,
  i32Add,
  i32Const,
  i32Sub,
  i64x2Bitmask,
  i64x2Equal,
  i64x2Splat,
  ifThen,
  localGet,
  localSet,
  localTee,
  loopWhile,
  returnNow,
  v128And,
  v128Load,
  v128Store,
  type WasmFunction,
} from "./wasm-assembler";

/*
 * Arithmetic modulo p = 2^255 - 19 on long rows of numbers, two at a time in the halves of a 128-bit vector.
 *
 * A number is the sum of 12 doubles ("limbs"); limb i is a multiple of 2^start(i), start(i) = ceil(21.25 i), so that
 * every product and every sum of the 12 products that make a limb of a result is exact in a double's 53 bits (Bernstein,
 * "Floating-point arithmetic and message authentication", 2004; with fused multiply-add or wider integers missing in
 * WebAssembly, this is its quickest way: one instruction multiplies two limbs of two numbers).
 *
 * "Reduced" limbs lie within half their width of 0; a result of `multiply` is reduced. A sum of n reduced numbers has
 * n times that size. `multiply` is exact as long as the sizes of its operands have a product of at most 8: its largest
 * limb then stays below 2^52 units.
 */
const LIMBS = 12;
const start = Array.from({ length: LIMBS + 1 }, (_, index) => Math.ceil(21.25 * index));
/** Bytes of a cell: the limbs of two numbers, limb by limb. */
export const CELL_BYTES = LIMBS * 16;
export const p = 2n ** 255n - 19n;

/** The functions of the WebAssembly module. Addresses are byte offsets into `memory`, steps are bytes from cell to cell. */
export interface FieldVectors {
  memory: WebAssembly.Memory;
  /** For each of `count` cells, in order: to = a * b. A step of 0 keeps an operand; results may be operands later on. */
  multiply(to: number, a: number, b: number, count: number, toStep: number, aStep: number, bStep: number): void;
  /** to = a + b, limb by limb: not reduced. */
  add(to: number, a: number, b: number, count: number, toStep: number, aStep: number, bStep: number): void;
  /** to = a - b, limb by limb: not reduced. */
  subtract(to: number, a: number, b: number, count: number, toStep: number, aStep: number, bStep: number): void;
  /**
   * Looks for a reduced number whose value in [0, p) has `wanted` in the bits of `mask` (of its low 40 bits).
   * @returns how many cells are left, counted with the one that has it; 0 if none has
   */
  match(at: number, count: number, mask: bigint, wanted: bigint): number;
}

/** A new module with a memory of its own. */
export function instantiateFieldVectors(bytes: number): FieldVectors {
  const pages = Math.ceil(bytes / 65536);
  const memory = new WebAssembly.Memory({ initial: pages });
  const code = assembleModule(
    [multiply(), elementwise("add", f64x2Add), elementwise("subtract", f64x2Sub), match()],
    1,
  );
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
  return { ...(exports as unknown as Omit<FieldVectors, "memory">), memory };
}

/** Writes a number (any integer) into one half (0 or 1) of the cell at `address`, reduced. */
export function writeNumber(memory: WebAssembly.Memory, address: number, half: number, value: bigint): void {
  const doubles = new Float64Array(memory.buffer, address, 2 * LIMBS);
  let rest = ((value % p) + p) % p;
  if (rest > p / 2n) rest -= p;
  for (let index = 0; index < LIMBS; index++) {
    const [from = 0, to = 0] = start.slice(index, index + 2);
    const last = index === LIMBS - 1;
    const limb = last ? rest : BigInt.asIntN(to - from, rest);
    doubles[2 * index + half] = Number(limb) * 2 ** from;
    rest = (rest - limb) >> BigInt(to - from);
  }
}

/** The number, in [0, p), in one half of the cell at `address`. */
export function readNumber(memory: WebAssembly.Memory, address: number, half: number): bigint {
  const doubles = new Float64Array(memory.buffer, address, 2 * LIMBS);
  let value = 0n;
  for (let index = 0; index < LIMBS; index++) value += BigInt(doubles[2 * index + half] ?? 0);
  return ((value % p) + p) % p;
}

const [to, a, b, count, toStep, aStep, bStep] = [0, 1, 2, 3, 4, 5, 6];
const ROW_PARAMETERS = ["i32", "i32", "i32", "i32", "i32", "i32", "i32"] as const;

function elementwise(name: string, operation: Code): WasmFunction {
  const body: number[] = [];
  for (let index = 0; index < LIMBS; index++) {
    const operands = [...localGet(a), ...v128Load(16 * index), ...localGet(b), ...v128Load(16 * index)];
    body.push(...localGet(to), ...operands, ...operation, ...v128Store(16 * index));
  }
  return { name, parameters: ROW_PARAMETERS, locals: [], body: overRow(body) };
}

/** Schoolbook multiplication, row by row: 12 sums stay in registers, what overflows limb 11 comes back times 19. */
function multiply(): WasmFunction {
  const sum = (index: number) => 7 + index;
  const [factor, folded] = [7 + LIMBS, 8 + LIMBS];
  const body: number[] = [];
  for (let i = 0; i < LIMBS; i++) {
    body.push(...localGet(a), ...v128Load(16 * i), ...localTee(factor));
    body.push(...f64x2Const(19 * 2 ** -255), ...f64x2Mul, ...localSet(folded));
    for (let j = 0; j < LIMBS; j++) {
      const k = (i + j) % LIMBS;
      body.push(...localGet(i + j < LIMBS ? factor : folded), ...localGet(b), ...v128Load(16 * j), ...f64x2Mul);
      if (i > 0) body.push(...localGet(sum(k)), ...f64x2Add);
      body.push(...localSet(sum(k)));
    }
  }
  // Two chains at once, from limb 0 and from limb 6; each ends one limb past where the other began.
  for (const from of [0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11, 6, 0]) body.push(...carry(sum, from, folded));
  for (let k = 0; k < LIMBS; k++) body.push(...localGet(to), ...localGet(sum(k)), ...v128Store(16 * k));
  return { name: "multiply", parameters: ROW_PARAMETERS, locals: Array(LIMBS + 2).fill("v128"), body: overRow(body) };
}

/** Moves what limb `from` has in multiples of the next limb's unit there: adding and taking away 1.5 * 2^52 units rounds. */
function carry(sum: (index: number) => number, from: number, excess: number): Code {
  const rounding = f64x2Const(1.5 * 2 ** (52 + (start[from + 1] ?? 0)));
  const next = (from + 1) % LIMBS;
  return [
    ...[...localGet(sum(from)), ...rounding, ...f64x2Add, ...rounding, ...f64x2Sub, ...localSet(excess)],
    ...[...localGet(sum(from)), ...localGet(excess), ...f64x2Sub, ...localSet(sum(from))],
    ...[...localGet(excess), ...(next === 0 ? [...f64x2Const(19 * 2 ** -255), ...f64x2Mul] : [])],
    ...[...localGet(sum(next)), ...f64x2Add, ...localSet(sum(next))],
  ];
}

/** Runs `body` for each cell of the row. */
function overRow(body: Code): Code {
  const advance = (pointer: number, step: number) => [
    ...[...localGet(pointer), ...localGet(step), ...i32Add, ...localSet(pointer)],
  ];
  return loopWhile([...body, ...advance(to, toStep), ...advance(a, aStep), ...advance(b, bStep), ...countDown(count)]);
}

function countDown(counter: number): Code {
  return [...localGet(counter), ...i32Const(1), ...i32Sub, ...localTee(counter)];
}

/**
 * A reduced number lies between -2^255 and 2^255, so it is y or y - p for y in [0, p): the sign, which the three
 * highest limbs tell (but for one in 2^62, which is passed over), says which. The low limbs and 19 times that, plus
 * 1.5 * 2^52, is a double whose bits hold the low 40 bits of y.
 */
function match(): WasmFunction {
  const [at, cells, mask, wanted, maskVector, wantedVector] = [0, 1, 2, 3, 4, 5];
  const limb = (index: number) => [...localGet(at), ...v128Load(16 * index)];
  const compare: Code = [
    ...[...limb(11), ...limb(10), ...f64x2Add, ...limb(9), ...f64x2Add],
    ...[...f64x2Const(2 ** -255), ...f64x2Mul, ...f64x2Floor, ...f64x2Const(19), ...f64x2Mul],
    ...[...limb(0), ...f64x2Add, ...limb(1), ...f64x2Add, ...f64x2Const(1.5 * 2 ** 52), ...f64x2Add],
    ...[...localGet(maskVector), ...v128And, ...localGet(wantedVector), ...i64x2Equal, ...i64x2Bitmask],
    ...ifThen([...localGet(cells), ...returnNow]),
    ...[...localGet(at), ...i32Const(CELL_BYTES), ...i32Add, ...localSet(at)],
  ];
  return {
    name: "match",
    parameters: ["i32", "i32", "i64", "i64"],
    result: "i32",
    locals: ["v128", "v128"],
    body: [
      ...[...localGet(mask), ...i64x2Splat, ...localSet(maskVector)],
      ...[...localGet(wanted), ...i64x2Splat, ...localSet(wantedVector)],
      ...[...loopWhile([...compare, ...countDown(cells)]), ...i32Const(0)],
    ],
  };
}
