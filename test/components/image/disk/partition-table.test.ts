import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkBackup,
  checkBoots,
  checkLength,
  PARTITION_TABLE_SIZE,
  type PartitionTable,
  readPartitionTable,
} from "../../../../components/image/disk/partition-table";
import { partitionTable } from "../../../rehearsal/partition-table";

const MIB = 1024 * 1024;
const EFI = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
const LINUX = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";

function gpt(...types: ("efi" | "linux")[]): Buffer {
  const disk = Buffer.alloc(8 * MIB);
  partitionTable(
    disk,
    types.map((type, index) => ({ type, firstByte: (1 + index) * MIB, bytes: MIB })),
  );
  return disk.subarray(0, PARTITION_TABLE_SIZE);
}
function mbr(type: number): Buffer {
  const head = Buffer.alloc(PARTITION_TABLE_SIZE);
  head.writeUInt8(type, 446 + 4);
  head.writeUInt32LE(1, 446 + 8);
  head.writeUInt32LE(MIB / 512 - 1, 446 + 12);
  head.writeUInt16LE(0xaa55, 510);
  return head;
}
const read = (head: Buffer): PartitionTable => readPartitionTable("disk", head);

describe("readPartitionTable", () => {
  it("reads types of a GPT and an MBR", () => {
    const whole = { end: 8 * MIB, backup: 8 * MIB - 512 };
    expect(read(gpt("efi", "linux"))).toEqual({ scheme: "gpt", types: [EFI, LINUX], ...whole });
    expect(read(gpt())).toEqual({ scheme: "gpt", types: [], ...whole });
    expect(read(mbr(0x83))).toEqual({
      scheme: "mbr",
      types: ["83"],
      end: MIB,
      backup: undefined,
    });
    const none = { scheme: "none", types: [], end: 0, backup: undefined };
    expect(read(Buffer.alloc(PARTITION_TABLE_SIZE))).toEqual(none);
    expect(read(Buffer.alloc(10))).toEqual(none);
  });

  it("refuses a GPT of which any byte that counts is changed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 512, max: 512 + 91 }), fc.integer({ min: 1, max: 255 }), (place, change) => {
        const head = Buffer.from(gpt("efi"));
        head[place] = ((head[place] ?? 0) + change) % 256;
        expect(() => read(head)).toThrow(/GPT/);
      }),
    );
    const head = Buffer.from(gpt("efi"));
    head[1024 + 40] = 77;
    expect(() => read(head)).toThrow("'disk' has a damaged GPT: the checksum of its entries is wrong");
  });

  it("refuses a protective MBR without the GPT that it protects", () => {
    expect(() => read(mbr(0xee))).toThrow("'disk' has a protective MBR and no GPT behind it");
  });
});

describe("a disk that is cut", () => {
  it.each([
    ["a GPT", gpt("efi"), 8 * MIB],
    ["an MBR", mbr(0x83), MIB],
  ])("is found by the end of %s, and padding is fine", (_what, head, size) => {
    const table = read(head);
    checkLength("disk", table, size);
    checkLength("disk", table, size + MIB);
    expect(() => checkLength("disk", table, size - 512)).toThrow(
      `'disk' is cut: its partition table needs ${size} bytes, it has ${size - 512}: copy or build it again`,
    );
  });

  it("but has its full size, as rsync and others leave it, is found by the backup of its GPT", () => {
    const disk = Buffer.alloc(8 * MIB);
    partitionTable(disk, [{ type: "efi", firstByte: MIB, bytes: MIB }]);
    const table = read(disk.subarray(0, PARTITION_TABLE_SIZE));
    const backup = disk.subarray(-512);
    checkBackup("disk", table, backup);
    const other = disk.subarray(512, 1024); // the header at the disk's start
    for (const bytes of [Buffer.alloc(512), Buffer.alloc(0), other]) {
      expect(() => checkBackup("disk", table, bytes)).toThrow(
        "'disk' was not written to its end: its GPT has no backup at byte 8388096: copy or build it again",
      );
    }
  });
});

describe("checkBoots", () => {
  it("accepts what boots", () => {
    checkBoots("disk", read(gpt("efi", "linux")));
    checkBoots("disk", read(mbr(0xef)));
  });

  it("says what is missing, and which option builds it", () => {
    expect(() => checkBoots("disk", read(gpt("linux")))).toThrow(
      `'disk' has a GPT with partition of type ${LINUX}, a generation 2 image boots by UEFI from an EFI system partition: ` +
        'build it with virtualisation.azureImage.vmGeneration = "v2"',
    );
    expect(() => checkBoots("disk", read(mbr(0x83)))).toThrow("'disk' has a MBR with partition of type 83");
    expect(() => checkBoots("disk", read(Buffer.alloc(1024)))).toThrow("'disk' has no partition table");
  });
});
