import { StorageCRC64Calculator } from "@azure/storage-common";

/** The checksum of some bytes as `x-ms-content-crc64` wants it: 8 bytes. */
export type Crc64 = (bytes: Uint8Array) => Buffer;

/** Loads Azure Storage's own CRC-64, which is WebAssembly: it takes some milliseconds to compile. */
export async function loadCrc64(): Promise<Crc64> {
  await StorageCRC64Calculator.init();
  return (bytes) => Buffer.from(new StorageCRC64Calculator().final(bytes, bytes.length));
}
