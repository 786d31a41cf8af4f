import { randomBytes } from "node:crypto";
import { ed25519 } from "@noble/curves/ed25519.js";
import { clampScalar, type OnionKey } from "../keys";

/*
 * The numbers of the vanity search that are made once a batch or once a search, with BigInt and @noble/curves.
 *
 * A search walks from a random scalar s in steps of 8, so that the scalar stays clamped. One batch looks at the keys
 * of s + 8i and s - 8i for i = 1 .. pairs; the next begins 8 * (2 * pairs + 1) further.
 *
 * A public key is, but for its last bit, the y coordinate of its point. With P = s * B = (x, y) and fixed points
 * 8i * B = (x[i], y[i]), the addition law of the curve -x² + y² = 1 + d x² y² comes down to
 *
 *   y(P ± 8i * B) = k * (m[i] ± c * x[i]) / (g - x[i]²)
 *   m[i] = (1 + x[i]²) / y[i]    c = (1 + d) x y / (1 + x²)    g = 1 / (d y²)    k = 1 / (d y)
 *
 * so a batch needs only the fixed x[i], x[i]² and m[i], and a few numbers of its own.
 */
const { Point } = ed25519;
const { BASE, Fn, Fp } = Point;
const { d } = Point.CURVE();
const inverseOfD = Fp.inv(d);
const onePlusD = Fp.add(1n, d);

/** Where a batch is: its scalar and its point. */
export interface Center {
  scalar: bigint;
  x: bigint;
  y: bigint;
  /** 1 / (y (1 + x²)), from which every division of a batch follows. */
  inverse: bigint;
}

/** A center whose coordinates still are fractions: x = X / Z, y = Y / Z. */
export interface NextCenter {
  scalar: bigint;
  X: bigint;
  Y: bigint;
  Z: bigint;
  /** What has to be inverted for `reach`: Y Z (X² + Z²). */
  product: bigint;
}

/** The fixed numbers of i = 1 .. pairs, in this order. */
export interface Steps {
  x: bigint[];
  squareOfX: bigint[];
  m: bigint[];
  /** From one center to the next. */
  stride: { scalar: bigint; x: bigint; y: bigint };
}

/** The numbers of one batch (see above). */
export function batchNumbers({ x, y, inverse }: Center): { c: bigint; g: bigint; k: bigint } {
  const inverseOfY = Fp.mul(inverse, Fp.add(1n, Fp.sqr(x)));
  const k = Fp.mul(inverseOfD, inverseOfY);
  const c = Fp.mul(Fp.mul(onePlusD, Fp.mul(x, Fp.sqr(y))), inverse);
  return { c, g: Fp.mul(k, inverseOfY), k };
}

/** A random clamped scalar and its point. Fresh for each key: keys that lie close together would betray each other. */
export function randomCenter(): Center {
  const bytes = randomBytes(32);
  clampScalar(bytes);
  const scalar = BigInt(`0x${bytes.reverse().toString("hex")}`);
  bytes.fill(0);
  const { x, y } = BASE.multiply(Fn.create(scalar)).toAffine();
  return { scalar, x, y, inverse: Fp.inv(Fp.mul(y, Fp.add(1n, Fp.sqr(x)))) };
}

/** The center one stride further, without a division (the unified addition law). */
export function nextCenter(center: Center, stride: Steps["stride"]): NextCenter {
  const xx = Fp.mul(center.x, stride.x);
  const yy = Fp.mul(center.y, stride.y);
  const e = Fp.mul(d, Fp.mul(xx, yy));
  const [less, more] = [Fp.sub(1n, e), Fp.add(1n, e)];
  const X = Fp.mul(Fp.add(Fp.mul(center.x, stride.y), Fp.mul(center.y, stride.x)), less);
  const Y = Fp.mul(Fp.add(yy, xx), more);
  const Z = Fp.mul(less, more);
  const product = Fp.mul(Fp.mul(Y, Z), Fp.add(Fp.sqr(X), Fp.sqr(Z)));
  return { scalar: center.scalar + stride.scalar, X, Y, Z, product };
}

/** The next center as a point, given 1 / `product`. */
export function reach({ scalar, X, Y, Z }: NextCenter, inverseOfProduct: bigint): Center {
  const sum = Fp.add(Fp.sqr(X), Fp.sqr(Z));
  const inverseOfZ = Fp.mul(inverseOfProduct, Fp.mul(Y, sum));
  const inverse = Fp.mul(inverseOfProduct, Fp.mul(Fp.sqr(Z), Fp.sqr(Z)));
  return { scalar, x: Fp.mul(X, inverseOfZ), y: Fp.mul(Y, inverseOfZ), inverse };
}

/** The fixed numbers of a search. Takes 60 ms for 2048 pairs. */
export function newSteps(pairs: number): Steps {
  const step = BASE.multiply(8n);
  const points = [step];
  while (points.length < pairs) points.push((points.at(-1) ?? step).add(step));
  const inverses = Fp.invertBatch(points.map(({ Y, Z }) => Fp.mul(Y, Z)));
  const x = points.map(({ X, Y }, index) => Fp.mul(X, Fp.mul(Y, inverses[index] ?? 0n)));
  const squareOfX = x.map((number) => Fp.sqr(number));
  const m = points.map(({ Z }, index) => {
    const inverseOfY = Fp.mul(Fp.sqr(Z), inverses[index] ?? 0n);
    return Fp.mul(Fp.add(1n, squareOfX[index] ?? 0n), inverseOfY);
  });
  const scalar = 8n * BigInt(2 * pairs + 1);
  return { x, squareOfX, m, stride: { scalar, ...BASE.multiply(scalar).toAffine() } };
}

/** The onion key of a scalar, with a fresh random second half. @returns undefined if the scalar is not clamped */
export function keyOfScalar(scalar: bigint): OnionKey | undefined {
  if (scalar >> 254n !== 1n || (scalar & 7n) !== 0n) return undefined; // the walk has left the range: all but impossible
  const secretKey = randomBytes(64);
  secretKey.set(Buffer.from(scalar.toString(16).padStart(64, "0"), "hex").reverse());
  return { secretKey, publicKey: BASE.multiply(Fn.create(scalar)).toBytes() };
}
