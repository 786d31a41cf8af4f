import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkGeneration,
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
function mbr(type: number, hasCode: boolean): Buffer {
  const head = Buffer.alloc(PARTITION_TABLE_SIZE);
  head.writeUInt8(type, 446 + 4);
  head.writeUInt16LE(0xaa55, 510);
  if (hasCode) head.writeUInt8(0xeb, 0);
  return head;
}
const read = (head: Buffer): PartitionTable => readPartitionTable("disk", head);

describe("readPartitionTable", () => {
  it("reads types of a GPT and an MBR", () => {
    expect(read(gpt("efi", "linux"))).toEqual({ scheme: "gpt", types: [EFI, LINUX], hasBootCode: false });
    expect(read(gpt())).toEqual({ scheme: "gpt", types: [], hasBootCode: false });
    expect(read(mbr(0x83, true))).toEqual({ scheme: "mbr", types: ["83"], hasBootCode: true });
    expect(read(Buffer.alloc(PARTITION_TABLE_SIZE))).toEqual({ scheme: "none", types: [], hasBootCode: false });
    expect(read(Buffer.alloc(10))).toEqual({ scheme: "none", types: [], hasBootCode: false });
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
    expect(() => read(mbr(0xee, false))).toThrow("'disk' has a protective MBR and no GPT behind it");
  });
});

describe("checkGeneration", () => {
  it("accepts what boots", () => {
    checkGeneration("disk", read(gpt("efi", "linux")), 2);
    checkGeneration("disk", read(mbr(0xef, false)), 2);
    checkGeneration("disk", read(mbr(0x83, true)), 1);
  });

  it("says what is missing, and which option builds it", () => {
    expect(() => checkGeneration("disk", read(gpt("linux")), 2)).toThrow(
      `'disk' has a GPT with partition of type ${LINUX}, a generation 2 image boots by UEFI from an EFI system partition: ` +
        'build it with virtualisation.azureImage.vmGeneration = "v2"',
    );
    expect(() => checkGeneration("disk", read(mbr(0x83, true)), 2)).toThrow(
      "'disk' has a MBR with partition of type 83",
    );
    expect(() => checkGeneration("disk", read(gpt("efi")), 1)).toThrow("no boot code in its first sector");
    expect(() => checkGeneration("disk", read(Buffer.alloc(1024)), 2)).toThrow("'disk' has no partition table");
  });
});
