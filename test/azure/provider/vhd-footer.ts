/** What Azure reads in the last 512 bytes of a blob before it makes an image of it. Source: Microsoft's VHD format, 1.0. */
export const FOOTER_BYTES = 512;

const COOKIE = "conectix";
const FIXED = 2;

/** The one's complement of the sum of all bytes but the checksum's own. */
function checksum(footer: Buffer): number {
  const bytes = [...footer.subarray(0, 64), ...footer.subarray(68, FOOTER_BYTES)];
  return ~bytes.reduce((sum, byte) => sum + byte, 0) >>> 0;
}

/**
 * What is wrong with a fixed VHD of this footer; undefined where nothing is.
 * @param blobSize bytes, footer included
 */
export function footerFault(footer: Buffer, blobSize: number): string | undefined {
  if (footer.length !== FOOTER_BYTES) return `the footer has ${footer.length} bytes in place of ${FOOTER_BYTES}`;
  const cookie = footer.toString("latin1", 0, 8);
  if (cookie !== COOKIE)
    return "The specified cookie value in VHD footer indicates that the disk is not a supported VHD. Disk is expected to have cookie value 'conectix'.";
  if (footer.readUInt32BE(64) !== checksum(footer)) return "The checksum in the VHD footer does not match its content.";
  if (footer.readUInt32BE(60) !== FIXED)
    return `Only fixed VHDs are supported: the footer says disk type ${footer.readUInt32BE(60)}.`;
  const size = Number(footer.readBigUInt64BE(48));
  if (size !== blobSize - FOOTER_BYTES)
    return `The footer says ${size} bytes, the blob holds ${blobSize - FOOTER_BYTES} before it.`;
  if (size % 1_048_576 !== 0)
    return `The disk has an unsupported virtual size of ${size} bytes. The size must be a whole number (in MBs).`;
  return undefined;
}
