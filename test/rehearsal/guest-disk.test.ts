import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { findOnPath } from "../../components/process/find-program";
import { readNixDisk } from "./guest/nix-disk";
import { DISK_BYTES, readGuestDisk, writeGuestDisk } from "./guest-disk";
import { partitionTable } from "./partition-table";

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "guest-disk-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

it("gives back the stack's files that were put on the disk", () => {
  const stack = path.join(folder, "stack");
  const booted = path.join(folder, "booted");
  fs.mkdirSync(stack);
  fs.mkdirSync(booted);
  fs.writeFileSync(path.join(stack, "facts.json"), "{}\n");
  fs.writeFileSync(path.join(stack, "onion.sops.json"), "x".repeat(5000));
  const disk = writeGuestDisk(stack);
  expect(disk).toHaveLength(DISK_BYTES);
  readGuestDisk(disk, booted);
  expect(fs.readdirSync(booted).sort()).toEqual(["facts.json", "onion.sops.json"]);
  expect(fs.readFileSync(path.join(booted, "onion.sops.json"), "utf8")).toBe("x".repeat(5000));
});

it("has of a front end its own facts, and those sealed files of its stack that are the front end's", () => {
  const stacks = path.join(folder, "stacks");
  const booted = path.join(folder, "booted");
  for (const made of [path.join(stacks, "web"), path.join(stacks, "web-front-end"), booted])
    fs.mkdirSync(made, { recursive: true });
  fs.writeFileSync(path.join(stacks, "web-front-end", "facts.json"), "{}\n");
  for (const name of ["onion", "onion-replica-1"])
    fs.writeFileSync(path.join(stacks, "web", `${name}.sops.json`), `sealed ${name}`);
  const sealed = { directory: path.join(stacks, "web"), files: ["onion.sops.json"] };
  readGuestDisk(writeGuestDisk(path.join(stacks, "web-front-end"), sealed), booted);
  expect(fs.readdirSync(booted).sort()).toEqual(["facts.json", "onion.sops.json"]);
  expect(fs.readFileSync(path.join(booted, "onion.sops.json"), "utf8")).toBe("sealed onion");
});

const unless = findOnPath("mkfs.ext4") && findOnPath("debugfs") ? "" : " (skipped: e2fsprogs not on PATH)";
it.skipIf(unless !== "")(`takes facts and sealed files out of an ext4 store, as Nix builds it${unless}`, () => {
  const tree = path.join(folder, "tree", "nix", "store");
  const found = path.join(folder, "found");
  fs.mkdirSync(tree, { recursive: true });
  fs.mkdirSync(found);
  const hash = "0123456789abcdfghijklmnpqrsvwxyz";
  fs.writeFileSync(path.join(tree, `${hash}-facts.json`), "{}\n");
  fs.writeFileSync(path.join(tree, `${hash}-onion.sops.json`), "sealed");
  fs.writeFileSync(path.join(tree, `${hash}-other.json`), "other");
  const partition = path.join(folder, "ext4");
  execFileSync("mkfs.ext4", ["-q", "-d", path.join(folder, "tree"), partition, "16M"]);
  const disk = Buffer.alloc(24 << 20);
  partitionTable(disk, [
    { type: "efi", firstByte: 1 << 20, bytes: 1 << 20 },
    { type: "linux", firstByte: 4 << 20, bytes: 16 << 20 },
  ]);
  fs.readFileSync(partition).copy(disk, 4 << 20);
  fs.writeFileSync(path.join(folder, "disk.raw"), disk);
  readNixDisk(path.join(folder, "disk.raw"), found);
  expect(fs.readdirSync(found).sort()).toEqual(["facts.json", "onion.sops.json"]);
  expect(fs.readFileSync(path.join(found, "onion.sops.json"), "utf8")).toBe("sealed");
});

it("writes a partition table whose two headers carry right checksums and point at each other", async () => {
  const { crc32 } = await import("node:zlib");
  const disk = Buffer.alloc(8 << 20);
  partitionTable(disk, [{ type: "efi", firstByte: 1 << 20, bytes: 1 << 20 }]);
  const lastSector = disk.length / 512 - 1;
  for (const [sector, other] of [
    [1, lastSector],
    [lastSector, 1],
  ] as const) {
    const header = Buffer.from(disk.subarray(sector * 512, sector * 512 + 92));
    expect(header.toString("latin1", 0, 8)).toBe("EFI PART");
    expect(Number(header.readBigUInt64LE(24))).toBe(sector);
    expect(Number(header.readBigUInt64LE(32))).toBe(other);
    const entries = Number(header.readBigUInt64LE(72)) * 512;
    expect(header.readUInt32LE(88)).toBe(crc32(disk.subarray(entries, entries + 128 * 128)));
    const checksum = header.readUInt32LE(16);
    header.writeUInt32LE(0, 16);
    expect(checksum).toBe(crc32(header));
  }
});
