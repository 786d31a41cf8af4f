import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { pipeline } from "node:stream/promises";
import { type ChildResult, runChild } from "../../process/child-process";
import { ProgramMissing } from "../../process/find-program";
import { runNix } from "../../process/nix";
import { howToInstall } from "../../process/tools";
import { nixBase32 } from "../nix-base32";
import type { PackedNar, StorePath } from "./nar-info";

/** What `nix path-info --json` says of a path; until Nix 2.18 in a list, with `path`. */
interface PathInfo {
  readonly path?: string;
  readonly narHash: string;
  readonly narSize: number;
  readonly references: readonly string[];
}

/** A store path and all that it needs. @throws if it is not in the store */
export async function closureOf(path: string): Promise<StorePath[]> {
  const { code, stderr, stdout } = await runNix(["path-info", "--recursive", "--json", path]);
  if (code !== 0) throw new Error(`nix path-info ${path} failed: ${stderr.trim()}`);
  const found = JSON.parse(stdout.toString("utf8")) as Record<string, PathInfo> | PathInfo[];
  const infos = Array.isArray(found) ? found.map((info) => [info.path ?? "", info] as const) : Object.entries(found);
  return infos.map(([name, { narHash, narSize, references }]) => ({
    path: name,
    narHash: inBase32(narHash),
    narSize,
    references,
  }));
}

/** Nix writes a hash in two ways. */
function inBase32(hash: string): string {
  return hash.startsWith("sha256-") ? `sha256:${nixBase32(Buffer.from(hash.slice(7), "base64"))}` : hash;
}

/**
 * Packs a store path's archive into a file.
 * @throws if the store has something else under this path than it says
 */
export async function pack({ path, narHash }: StorePath, file: string): Promise<PackedNar> {
  const nar = `${file}.nar`;
  const hash = createHash("sha256");
  let written: Promise<void> | undefined;
  const { code, stderr } = await runNix(["store", "dump-path", path], (stdout) => {
    stdout.on("data", (chunk: Buffer) => hash.update(chunk));
    written = pipeline(stdout, fs.createWriteStream(nar));
  });
  await written;
  if (code !== 0) throw new Error(`nix store dump-path ${path} failed: ${stderr.trim()}`);
  if (`sha256:${nixBase32(hash.digest())}` !== narHash) {
    throw new Error(`${path} is damaged in this machine's store: type nix-store --repair-path ${path}`);
  }
  await compress(nar, file);
  const packed = createHash("sha256");
  for await (const chunk of fs.createReadStream(file)) packed.update(chunk as Buffer);
  return { hash: nixBase32(packed.digest()), size: fs.statSync(file).size };
}

async function compress(nar: string, file: string): Promise<void> {
  const options = ["-9", "--rm", "--force", "--quiet", "-o", file, "--", nar];
  const { code, stderr } = await zstd(options);
  if (code !== 0) throw new Error(`cannot pack ${nar}: ${stderr.trim() || "zstd was killed"}`);
}

async function zstd(options: readonly string[]): Promise<ChildResult> {
  try {
    return await runChild("zstd", options);
  } catch (error) {
    if (!(error instanceof ProgramMissing)) throw error;
    throw new Error(`zstd is not on PATH: ${howToInstall("zstd")}`);
  }
}
