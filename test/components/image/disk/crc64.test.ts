import fc from "fast-check";
import { expect, it } from "vitest";
import { loadCrc64 } from "../../../../components/image/disk/crc64";

/** CRC-64/NVME bit by bit, as its definition has it (https://reveng.sourceforge.io/crc-catalogue/17plus.htm). */
function reference(bytes: Uint8Array): bigint {
  let crc = 0xffffffffffffffffn;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0x9a6c9329ac4bc9b5n : crc >> 1n;
  }
  return crc ^ 0xffffffffffffffffn;
}

it("a checksum is the catalogue's CRC-64/NVME, little-endian, of any part of a buffer", async () => {
  const crc64 = await loadCrc64();
  const buffer = Buffer.alloc(1024);
  expect(reference(Buffer.from("123456789"))).toBe(0xae8b14860a799888n); // the catalogue's check value
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 700 }), fc.nat(100), (content, place) => {
      buffer.set(content, place);
      expect(crc64(buffer.subarray(place, place + content.length)).readBigUInt64LE()).toBe(reference(content));
    }),
  );
});

it("a checksum of a whole chunk is that of its bytes, whatever pieces it is taken in", async () => {
  const crc64 = await loadCrc64();
  for (const size of [256 * 1024 - 512, 256 * 1024, 256 * 1024 + 512, 1024 * 1024]) {
    const content = Buffer.alloc(size, "sealed onion");
    expect(crc64(content).readBigUInt64LE()).toBe(reference(content));
  }
});
