import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkFixedVhd,
  DISK_UNIT,
  FOOTER_SIZE,
  fixedVhdFooter,
  wholeUnits,
} from "../../../../components/image/disk/vhd-footer";

const id = Buffer.from("0123456789abcdef0123456789abcdef", "hex");
const check = (footer: Buffer, diskSize: number): void => checkFixedVhd("disk.vhd", footer, diskSize + FOOTER_SIZE);

describe("a fixed VHD's footer", () => {
  it("as written is accepted for each whole number of MiB up to Azure's 8 TiB", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 * 1024 * 1024 }),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        (mebibytes, uniqueId) => {
          const size = mebibytes * DISK_UNIT;
          check(fixedVhdFooter(size, uniqueId), size);
        },
      ),
    );
  });

  it("is refused when any one byte of it is changed", () => {
    const size = 2048 * DISK_UNIT;
    fc.assert(
      fc.property(fc.nat(FOOTER_SIZE - 1), fc.integer({ min: 1, max: 255 }), (place, change) => {
        const footer = fixedVhdFooter(size, id);
        footer[place] = ((footer[place] ?? 0) + change) % 256;
        expect(() => check(footer, size)).toThrow(/^'disk\.vhd' has/);
      }),
    );
  });

  it("has the layout of the specification", () => {
    const footer = fixedVhdFooter(2048 * DISK_UNIT, id);
    expect(footer.toString("latin1", 0, 8)).toBe("conectix");
    expect(footer.toString("hex", 8, 24)).toBe("0000000200010000ffffffffffffffff");
    expect(footer.readBigUInt64BE(40)).toBe(2n ** 31n);
    expect(footer.readBigUInt64BE(48)).toBe(2n ** 31n);
    expect([footer.readUInt16BE(56), footer.readUInt8(58), footer.readUInt8(59)]).toEqual([4161, 16, 63]);
    expect(footer.readUInt32BE(60)).toBe(2);
    expect(footer.subarray(68, 84)).toEqual(id);
  });

  it.each([40, 100, 2 * 1024 * 1024])("of %i MiB has a geometry within its limits", (mebibytes) => {
    const footer = fixedVhdFooter(mebibytes * DISK_UNIT, id);
    const [cylinders, heads, sectors] = [footer.readUInt16BE(56), footer.readUInt8(58), footer.readUInt8(59)];
    expect(cylinders * heads * sectors).toBeLessThanOrEqual((mebibytes * DISK_UNIT) / 512);
    expect(heads).toBeLessThanOrEqual(16);
    expect([17, 31, 63, 255]).toContain(sectors);
  });
});

describe("a file is refused", () => {
  const size = 4 * DISK_UNIT;
  const changed = (change: (footer: Buffer) => void): Buffer => {
    const footer = fixedVhdFooter(size, id);
    change(footer);
    const sum = footer.reduce((total, byte, place) => (place >= 64 && place < 68 ? total : total + byte), 0);
    footer.writeUInt32BE(~sum >>> 0, 64);
    return footer;
  };
  it.each([
    ["without a footer", Buffer.alloc(512), size, "'disk.vhd' has no VHD footer in its last 512 bytes"],
    [
      "that is cut",
      fixedVhdFooter(size, id).subarray(0, 511),
      size,
      "'disk.vhd' has no VHD footer in its last 512 bytes",
    ],
    [
      "of a dynamic VHD",
      changed((footer) => footer.writeUInt32BE(3, 60)),
      size,
      "'disk.vhd' is a dynamic VHD, Azure takes fixed VHDs",
    ],
    [
      "of an unknown type",
      changed((footer) => footer.writeUInt32BE(9, 60)),
      size,
      "'disk.vhd' is a VHD of an unknown type",
    ],
    [
      "of another version",
      changed((footer) => footer.writeUInt32BE(0x20000, 12)),
      size,
      "has VHD format version 0x00020000",
    ],
    [
      "of another length",
      fixedVhdFooter(size, id),
      size + 512,
      "has 4194816 bytes before its footer, which says 4194304",
    ],
    [
      "whose disk is no whole MiB",
      fixedVhdFooter(size + 512, id),
      size + 512,
      "has a disk of 4194816 bytes, Azure takes whole MiB: the next is 5242880 bytes",
    ],
  ])("%s", (_what, footer, diskSize, message) => {
    expect(() => check(footer, diskSize)).toThrow(message);
  });
});

it("rounds a disk up to whole MiB", () => {
  expect([0, 1, DISK_UNIT, DISK_UNIT + 1].map(wholeUnits)).toEqual([DISK_UNIT, DISK_UNIT, DISK_UNIT, 2 * DISK_UNIT]);
});
