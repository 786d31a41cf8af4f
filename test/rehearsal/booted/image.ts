import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { runChild } from "../../../components/process/child-process";
import { makeDisk } from "./disk";
import { goldenFiles, goldenPath } from "./golden";
import { placePrograms } from "./programs";
import { writeTree } from "./root-tree";

/** What has installed Debian's packages, and nothing of the machine needs: each megabyte is written, sent and searched. */
const unneeded = [
  ...["usr/lib/apt", "usr/lib/x86_64-linux-gnu/gconv", "var/lib/dpkg", "var/lib/apt", "var/cache", "usr/bin/sqv"],
  ...["usr/share/zoneinfo", "usr/share/bash-completion", "usr/share/common-licenses", "usr/bin/ssh"],
];

/**
 * A program for `image.builder`: makes the disk of the machine that boots, and prints the path of its VHD. Its argument
 * is the folder with Debian's part (root-cache.ts); it reads STACK and STACK_DIRECTORY.
 */
async function main(): Promise<void> {
  const { STACK: stack, STACK_DIRECTORY: stackDirectory } = process.env;
  const [debian] = process.argv.slice(2);
  if (!stack || !stackDirectory || !debian)
    throw new Error("STACK, STACK_DIRECTORY and a folder are not given: name this in image.builder");
  const factsText = fs.readFileSync(path.join(stackDirectory, "facts.json"), "utf8");
  const folder = path.resolve(".cache", "rehearsal", "booted");
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const root = path.join(folder, "root");
  const copied = await runChild("cp", ["--archive", debian, root]);
  if (copied.code !== 0) throw new Error(`cannot copy ${debian}: ${copied.stderr.trim()}`);
  for (const name of unneeded) fs.rmSync(path.join(root, name), { recursive: true, force: true });
  writeTree(root, JSON.parse(factsText), stackDirectory);
  placePrograms(
    root,
    goldenFiles().map((name) => fs.readFileSync(goldenPath(name), "utf8")),
  );
  const vhd = path.join(folder, `${stack}.vhd`);
  await makeDisk(root, vhd, createHash("sha256").update(factsText).digest().subarray(0, 16));
  fs.rmSync(root, { recursive: true });
  console.log(vhd);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
