import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { pathsOf } from "../../../components/image/image";
import type { Facts } from "../../../components/stack/facts";
import { makeGuestImage } from "../guest-image";
import { changedVhd } from "./disk";
import { GOLDEN_TEXTS, goldenFiles, goldenPath } from "./golden";
import { placePrograms } from "./programs";
import { writeTree } from "./root-tree";
import { succeed } from "./succeed";

/**
 * A program for `image.builder`: makes the disk of the machine that boots, and prints the path of its VHD; the store paths
 * that it has lie beside it. Its argument is the disk with Debian's part (root-cache.ts); it reads STACK and
 * STACK_DIRECTORY. The stack's system is there already: `nix/` makes it.
 */
async function main(): Promise<void> {
  const { STACK: stack, STACK_DIRECTORY: stackDirectory } = process.env;
  const [debian] = process.argv.slice(2);
  if (!stack || !stackDirectory || !debian)
    throw new Error("STACK, STACK_DIRECTORY and a disk are not given: name this in image.builder");
  const factsText = fs.readFileSync(path.join(stackDirectory, "facts.json"), "utf8");
  const facts: Facts = JSON.parse(factsText);
  // Debian's part has no Python: a front end is light.
  if (facts.frontEnd) return console.log(makeGuestImage(stack, stackDirectory));
  const folder = path.resolve(".cache", "rehearsal", "booted");
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const vhd = path.join(folder, `${stack}.vhd`);
  await changedVhd(debian, vhd, createHash("sha256").update(factsText).digest().subarray(0, 16), async (root) => {
    writeTree(root, facts);
    await placePrograms(
      root,
      goldenFiles().map((name) => fs.readFileSync(goldenPath(name), "utf8")),
      fs.readdirSync(path.join(GOLDEN_TEXTS, "store")),
    );
    fs.writeFileSync(pathsOf(vhd), await placeSystem(root, stack));
  });
  console.log(vhd);
}

/** Puts a stack's system, whole, into the machine's store, and has it booted. @returns its store paths, one a line */
async function placeSystem(root: string, stack: string): Promise<string> {
  const nix = (...command: string[]) =>
    succeed("nix", ["--extra-experimental-features", "nix-command flakes", ...command]);
  const target = `path:./nix#packages.x86_64-linux.system-${stack}`;
  await nix("build", "--no-link", target);
  const paths = await nix("path-info", "--recursive", target);
  const system = (await nix("path-info", target)).trim();
  await nix("copy", "--no-check-sigs", "--to", root, system);
  const state = path.join(root, "nix/var/nix");
  const link = (to: string, from: string) => {
    fs.rmSync(from, { force: true });
    fs.symlinkSync(to, from);
  };
  link("/nix/var/nix/profiles", path.join(state, "gcroots/profiles"));
  fs.mkdirSync(path.join(state, "profiles"), { recursive: true });
  link(system, path.join(state, "profiles/system-1-link"));
  link("system-1-link", path.join(state, "profiles/system"));
  fs.mkdirSync(path.join(root, "boot"), { recursive: true });
  link(system, path.join(root, "boot/default"));
  placeInit(root);
  return paths;
}

/** What is between the loader and systemd: nspawn starts the program of this name. */
function placeInit(root: string): void {
  const folder = path.join(root, "usr/lib/systemd");
  fs.mkdirSync(path.join(folder, "first"));
  fs.renameSync(path.join(folder, "systemd"), path.join(folder, "first/systemd"));
  fs.copyFileSync(path.join("test", "rehearsal", "booted", "system", "init.sh"), path.join(folder, "systemd"));
  fs.chmodSync(path.join(folder, "systemd"), 0o755);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
