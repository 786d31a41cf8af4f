import { ed25519 } from "@noble/curves/ed25519.js";
import { expect, test } from "vitest";
import {
  batchNumbers,
  keyOfScalar,
  newSteps,
  nextCenter,
  randomCenter,
  reach,
} from "../../../../components/onion/vanity/vanity-walk";

const { BASE, Fn, Fp } = ed25519.Point;
const pointOf = (scalar: bigint) => BASE.multiply(Fn.create(scalar)).toAffine();

test("the formula of a batch gives the y coordinates of the points around its center", () => {
  const steps = newSteps(6);
  const center = randomCenter();
  const { c, g, k } = batchNumbers(center);
  for (const [index, x] of steps.x.entries()) {
    const quotient = Fp.mul(k, Fp.inv(Fp.sub(g, steps.squareOfX[index] ?? 0n)));
    const m = steps.m[index] ?? 0n;
    const away = 8n * BigInt(index + 1);
    expect(Fp.mul(Fp.add(m, Fp.mul(c, x)), quotient)).toBe(pointOf(center.scalar + away).y);
    expect(Fp.mul(Fp.sub(m, Fp.mul(c, x)), quotient)).toBe(pointOf(center.scalar - away).y);
  }
});

test("each next center is the point of its scalar, one stride further", () => {
  const { stride } = newSteps(4);
  let center = randomCenter();
  const began = center.scalar;
  for (let step = 1n; step <= 5n; step++) {
    const next = nextCenter(center, stride);
    center = reach(next, Fp.inv(next.product));
    expect(center.scalar).toBe(began + step * 72n);
    expect({ x: center.x, y: center.y }).toEqual(pointOf(center.scalar));
    expect(Fp.mul(center.inverse, Fp.mul(center.y, Fp.add(1n, Fp.sqr(center.x))))).toBe(1n);
  }
});

test("a center is random and clamped", () => {
  const scalars = Array.from({ length: 20 }, () => randomCenter().scalar);
  expect(new Set(scalars).size).toBe(20);
  for (const scalar of scalars) expect([scalar >> 254n, scalar & 7n]).toEqual([1n, 0n]);
});

test("a key holds its scalar, its public key and a random second half that is new each time", () => {
  const { scalar } = randomCenter();
  const [first, second] = [keyOfScalar(scalar), keyOfScalar(scalar)];
  const halves = [first, second].map((key) => Buffer.from(key?.secretKey ?? []));
  expect(halves.map((half) => half.subarray(0, 32).reverse().toString("hex"))).toEqual(
    Array(2).fill(scalar.toString(16)),
  );
  expect(halves[0]?.subarray(32)).not.toEqual(halves[1]?.subarray(32));
  expect(first?.publicKey).toEqual(BASE.multiply(Fn.create(scalar)).toBytes());
});

test.each([
  ["below the range", 2n ** 254n - 8n],
  ["above the range", 2n ** 255n],
  ["no multiple of 8", 2n ** 254n + 4n],
])("a scalar %s makes no key", (_, scalar) => {
  expect(keyOfScalar(scalar)).toBeUndefined();
});
