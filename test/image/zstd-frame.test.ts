import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { findProgram, ProgramMissing } from "../../commands/child-process";
import { zstdContentSize } from "../../image/zstd-frame";

function hasZstd(): boolean {
  try {
    return findProgram("zstd") !== "";
  } catch (error) {
    if (error instanceof ProgramMissing) return false;
    throw error;
  }
}

describe("zstdContentSize", () => {
  it.skipIf(!hasZstd()).each([0, 1, 255, 256, 300, 65_535 + 256, 65_536 + 256, 3_000_000])(
    "reads the size of %i bytes from zstd's own header (skipped: needs zstd on PATH)",
    (size) => {
      const packed = execFileSync("zstd", ["-q", "-c", `--stream-size=${size}`], { input: Buffer.alloc(size, "ab") });
      expect(zstdContentSize(Buffer.concat([packed, Buffer.alloc(18)]))).toBe(size);
    },
  );

  it.skipIf(!hasZstd())("tells where the header does not have it (skipped: needs zstd on PATH)", () => {
    const packed = execFileSync("zstd", ["-q", "-c"], { input: Buffer.alloc(100_000, "ab") });
    expect(zstdContentSize(packed)).toBeUndefined();
  });

  it("reads the largest sizes (RFC 8878, section 3.1.1.1.4)", () => {
    const header = Buffer.alloc(18);
    header.writeUInt32LE(0xfd2fb528);
    header.writeUInt8(0xe0, 4); // eight bytes of size, single segment
    header.writeBigUInt64LE(5n * 1024n ** 4n, 5);
    expect(zstdContentSize(header)).toBe(5 * 1024 ** 4);
  });

  it("is undefined for anything else", () => {
    expect(zstdContentSize(Buffer.alloc(18))).toBeUndefined();
    expect(zstdContentSize(Buffer.alloc(4))).toBeUndefined();
  });
});
