// `npm run bench -- image-size [--stack NAME] [--json]`: what the image is made of. It builds the image of a stack (or of
// the example, which needs no deployment) and tells the system's closure, the disk's size and how much of it is data,
// which is what an upload sends. Where nothing can be built it says so, and ends well.
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { parseArgs } from "node:util";
import { SECTOR_SIZE } from "../../components/image/disk/vhd-footer";
import { findOnPath } from "../../components/process/find-program";

interface ImageSize {
  closureBytes: number;
  vhdBytes: number;
  dataBytes: number;
  /** The largest store paths, by name. */
  largest: { name: string; bytes: number }[];
  /** Interpreters that made it into the system: each is size, and a tool for an intruder. */
  interpreters: string[];
}

const LARGEST = 12;
/** Major version times 100 and minor version. */
const OLDEST_NIX = 218;
const CHUNK = 4 * 1024 * 1024;
const ZEROS = Buffer.alloc(SECTOR_SIZE);
const INTERPRETER = /^(perl|python3?|ruby|nodejs|php)-\d/;

/** Why no image can be built here; undefined if one can. */
function obstacle(): string | undefined {
  if (!findOnPath("nix")) return "nix is not on PATH";
  const version = execFileSync("nix", ["--version"], { encoding: "utf8" }).trim();
  const [, major = "0", minor = "0"] = /(\d+)\.(\d+)/.exec(version) ?? [];
  if (Number(major) * 100 + Number(minor) < OLDEST_NIX) return `${version} is older than 2.18, which nixpkgs asks for`;
  if (!fs.existsSync("/dev/kvm")) return "there is no /dev/kvm, which the image's build boots a machine with";
  return undefined;
}

/** The one path that an attribute of the flake is built to. */
function build(attribute: string): string {
  const flakes = ["--extra-experimental-features", "nix-command flakes"];
  const args = [...flakes, "build", `path:./nix#${attribute}`, "--no-link", "--print-out-paths"];
  return execFileSync("nix", args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
}

/** Every path of a closure with its own size. */
function closure(storePath: string): { name: string; bytes: number }[] {
  const paths = execFileSync("nix-store", ["--query", "--requisites", storePath], { encoding: "utf8" }).trim();
  const sizes = execFileSync("nix-store", ["--query", "--size", ...paths.split("\n")], { encoding: "utf8" }).trim();
  const bytes = sizes.split("\n").map(Number);
  const nameOf = (file: string) => path.basename(file).slice("0123456789abcdfghijklmnpqrsvwxyz-".length);
  return paths.split("\n").map((file, index) => ({ name: nameOf(file), bytes: bytes[index] ?? 0 }));
}

/** Bytes of a disk's sectors that hold anything but zeros. */
function dataBytes(file: string): number {
  const descriptor = fs.openSync(file, "r");
  const chunk = Buffer.alloc(CHUNK);
  let sectors = 0;
  try {
    for (let read = fs.readSync(descriptor, chunk); read > 0; read = fs.readSync(descriptor, chunk)) {
      for (let at = 0; at < read; at += SECTOR_SIZE) {
        if (!chunk.subarray(at, at + SECTOR_SIZE).equals(ZEROS)) sectors += 1;
      }
    }
  } finally {
    fs.closeSync(descriptor);
  }
  return sectors * SECTOR_SIZE;
}

function measure(stack: string | undefined): ImageSize {
  const image = build(stack ? `image-${stack}` : "example-image");
  const system = build(stack ? `nixosConfigurations.${stack}.config.system.build.toplevel` : "example-system");
  const vhd = fs.readdirSync(image).find((file) => file.endsWith(".vhd"));
  if (vhd === undefined) throw new Error(`${image} holds no .vhd: what does path:./nix build?`);
  const paths = closure(system).sort((one, other) => other.bytes - one.bytes);
  return {
    closureBytes: paths.reduce((sum, { bytes }) => sum + bytes, 0),
    vhdBytes: fs.statSync(path.join(image, vhd)).size,
    dataBytes: dataBytes(path.join(image, vhd)),
    largest: paths.slice(0, LARGEST),
    interpreters: paths.map(({ name }) => name).filter((name) => INTERPRETER.test(name)),
  };
}

function mib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

function report(size: ImageSize): string[] {
  return [
    `closure of the system  ${mib(size.closureBytes)}`,
    `disk (VHD)             ${mib(size.vhdBytes)}`,
    `data in it             ${mib(size.dataBytes)}`,
    `interpreters           ${size.interpreters.join(", ") || "none"}`,
    "largest paths:",
    ...size.largest.map(({ name, bytes }) => `  ${mib(bytes).padStart(11)}  ${name}`),
  ];
}

function main(): void {
  const { values } = parseArgs({ options: { stack: { type: "string" }, json: { type: "boolean" } } });
  const skipped = obstacle();
  if (skipped !== undefined) {
    console.log(values.json ? JSON.stringify({ skipped }) : `skipped: ${skipped}`);
    return;
  }
  const size = measure(values.stack);
  console.log(values.json ? JSON.stringify(size) : report(size).join("\n"));
}

main();
