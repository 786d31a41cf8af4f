const MAGIC = 0xfd2fb528;

/**
 * The size of the content of a zstd file's first frame, as its header says it (RFC 8878, section 3.1.1.1). Undefined
 * where the header does not: zstd leaves it out when it compresses a pipe.
 * @param head the file's first 18 bytes or more
 */
export function zstdContentSize(head: Buffer): number | undefined {
  if (head.length < 18 || head.readUInt32LE(0) !== MAGIC) return undefined;
  const descriptor = head.readUInt8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const offset = 5 + (isSingleSegment ? 0 : 1) + dictionaryBytes;
  switch (descriptor >> 6) {
    case 0:
      return isSingleSegment ? head.readUInt8(offset) : undefined;
    case 1:
      return head.readUInt16LE(offset) + 256;
    case 2:
      return head.readUInt32LE(offset);
    default:
      return Number(head.readBigUInt64LE(offset));
  }
}
