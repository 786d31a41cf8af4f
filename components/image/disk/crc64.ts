import { StorageCRC64Calculator } from "@azure/storage-common";

/** The checksum of some bytes as `x-ms-content-crc64` wants it: 8 bytes. */
export type Crc64 = (bytes: Uint8Array) => Buffer;

/** Its memory grows to the longest piece that it is given at once, and never shrinks. Bytes. */
const PIECE = 256 * 1024;

/** Loads Azure Storage's own CRC-64, which is WebAssembly: it takes some milliseconds to compile. */
export async function loadCrc64(): Promise<Crc64> {
  await StorageCRC64Calculator.init();
  return (bytes) => {
    const checksum = new StorageCRC64Calculator();
    let start = 0;
    for (; start + PIECE < bytes.length; start += PIECE) checksum.append(bytes.subarray(start, start + PIECE), PIECE);
    const last = bytes.subarray(start);
    return Buffer.from(checksum.final(last, last.length));
  };
}
