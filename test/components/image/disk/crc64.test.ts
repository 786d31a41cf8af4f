import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCrc64 } from "../../../../components/image/disk/crc64";

const SIZE = 64 * 1024;

/** CRC-64/NVME bit by bit, as its definition has it. */
function reference(bytes: Uint8Array): bigint {
  let crc = 0xffffffffffffffffn;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0x9a6c9329ac4bc9b5n : crc >> 1n;
  }
  return crc ^ 0xffffffffffffffffn;
}

describe("a CRC-64", () => {
  const crc = createCrc64(2, SIZE);
  const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = crc.buffers;

  it("is the catalogue's CRC-64/NVME, little-endian, at any place and of any length", () => {
    expect(reference(Buffer.from("123456789"))).toBe(0xae8b14860a799888n); // the catalogue's check value
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 700 }), fc.nat(100), (content, place) => {
        const length = content.length - (content.length % 16);
        second.set(content, place);
        const bytes = second.subarray(place, place + length);
        expect(crc.of(bytes).readBigUInt64LE()).toBe(reference(bytes));
      }),
    );
  });

  it("of one buffer does not depend on the other, nor on what was taken before", () => {
    first.fill(1);
    second.fill(2);
    const before = crc.of(first);
    crc.of(second);
    expect(crc.of(first)).toEqual(before);
    expect(crc.of(first)).not.toEqual(crc.of(second));
  });

  it("is refused for bytes elsewhere and for parts of a step", () => {
    expect(() => crc.of(Buffer.alloc(512))).toThrow(
      "a CRC-64 is taken of 16-byte steps of its own buffers, got 512 bytes",
    );
    expect(() => crc.of(first.subarray(0, 500))).toThrow("got 500 bytes");
  });
});
