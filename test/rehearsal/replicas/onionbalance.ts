import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { findOnPath } from "../../../components/process/find-program";

const run = promisify(execFile);

/** Onionbalance 0.2.4, as Python finds it; or why it is not here. */
export type Onionbalance =
  | { readonly python: string; readonly packages: string; readonly skipped?: undefined }
  | { readonly skipped: string };

const PACKAGES = path.resolve(".tools", "onionbalance");
const HERE = path.resolve("test", "rehearsal", "replicas");

/**
 * Onionbalance from hash-pinned packages in `.tools/`, fetched once.
 * @param log receives one line where it is fetched
 */
export async function provideOnionbalance(log: (line: string) => void): Promise<Onionbalance> {
  const python = findOnPath("python3");
  if (python === undefined) return { skipped: "skipped: Onionbalance: python3 is not on PATH" };
  if (fs.existsSync(PACKAGES)) return { python, packages: PACKAGES };
  log("fetching Onionbalance 0.2.4 (hash-pinned packages) into .tools/");
  const staging = `${PACKAGES}.${process.pid}`;
  try {
    await install(python, staging);
    if (!fs.existsSync(PACKAGES)) fs.renameSync(staging, PACKAGES);
    return { python, packages: PACKAGES };
  } catch (error) {
    const said = String((error as { stderr?: unknown }).stderr ?? error);
    const reason = /^ERROR: (.*)/m.exec(said)?.[1] ?? said.trim().split("\n").at(-1);
    return { skipped: `skipped: Onionbalance: pip does not get it: ${reason}` };
  } finally {
    fs.rmSync(staging, { recursive: true, force: true });
  }
}

/** pip checks each file against the hashes of the two lists; nothing is fetched that they do not name. */
async function install(python: string, target: string): Promise<void> {
  fs.mkdirSync(path.dirname(target), { recursive: true });
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"];
  const from = (list: string) => ["--target", target, "--requirement", path.join(HERE, list)];
  await run(python, [...pip, "--only-binary=:all:", ...from("onionbalance-requirements.txt")]);
  await run(python, [...pip, "--no-build-isolation", ...from("stem-requirements.txt")], {
    env: { ...process.env, PYTHONPATH: target },
  });
}

/** The environment in which Python finds it, and our own front end. */
export function pythonPath({ packages: found }: { readonly packages: string }): string {
  return [path.resolve("nix", "frontend"), found].join(path.delimiter);
}
