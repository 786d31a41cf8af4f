import * as fs from "node:fs";
import * as path from "node:path";
import { findOnPath, requireOnPath } from "../../../components/process/find-program";
import { succeed } from "./succeed";

const STAND_INS = path.join("test", "rehearsal", "booted", "stand-ins");

/** Programs of the guest that Debian does not have: the real one where it is on PATH, else ours. */
const OURS = ["sops-install-secrets", "afterburn"];

/** Which of the guest's programs are stand-ins on this machine. */
export function standInPrograms(): string[] {
  return [...OURS.filter((name) => !findOnPath(name)), "darkhttpd"];
}

/**
 * Puts the programs that the texts name where the system's texts name them: a package's folder is a link to Debian's.
 * @param texts everything that may name a program
 * @param own names in the store that are the system's own
 * @throws where a text names a program that is not there
 */
export async function placePrograms(root: string, texts: readonly string[], own: readonly string[]): Promise<void> {
  for (const name of OURS) copyProgram(root, findOnPath(name) ?? path.join(STAND_INS, name), name);
  copyProgram(root, path.join(STAND_INS, "darkhttpd"), "darkhttpd");
  if (!findOnPath("sops-install-secrets")) await placeSops(root); // the real installer has sops in it
  for (const name of fs.readdirSync(path.join(root, "usr/sbin"))) alsoIn(root, "usr/bin", `../sbin/${name}`);
  alsoIn(root, "usr/libexec", "../lib/openssh/sftp-server");
  const named = new Set(
    texts.flatMap((text) => text.match(/\/nix\/store\/[\w.+-]+\/(s?bin|lib|libexec)(\/[\w.+-]+)*/g) ?? []),
  );
  const packages = [...named].filter((file) => !own.includes(file.split("/")[3] ?? ""));
  for (const file of packages) linkPackage(root, file);
  const missing = packages.filter((file) => !isThere(root, file.replace("/nix/store/", "/guest/")));
  if (missing.length > 0) throw new Error(`the machine has no ${missing.join(", ")}, which its texts name`);
}

/** A quarter of the machine if it were not compressed: `system/init.sh` unpacks it into memory. */
async function placeSops(root: string): Promise<void> {
  const packed = path.join(root, "usr/lib/sops.zst");
  await succeed("zstd", ["--quiet", "--fast", requireOnPath("sops"), "-o", packed]);
  fs.symlinkSync("/run/sops", path.join(root, "usr/bin/sops"));
}

function copyProgram(root: string, file: string, name: string): void {
  const target = path.join(root, "usr/bin", name);
  fs.rmSync(target, { force: true });
  fs.copyFileSync(file, target);
  fs.chmodSync(target, 0o755);
}

function alsoIn(root: string, folder: string, target: string): void {
  const file = path.join(root, folder, path.basename(target));
  fs.mkdirSync(path.dirname(file), { recursive: true });
  if (fs.lstatSync(file, { throwIfNoEntry: false }) === undefined) fs.symlinkSync(target, file);
}

/** `/guest/NAME/bin` leads to /usr/bin. */
function linkPackage(root: string, file: string): void {
  const [, , , name = "", kind = ""] = file.split("/");
  const folder = path.join(root, "guest", name, kind);
  if (fs.existsSync(folder)) return;
  fs.mkdirSync(path.dirname(folder), { recursive: true });
  fs.symlinkSync(path.join("/usr", kind), folder);
}

/** As the machine sees it: absolute links lead below its root. */
function isThere(root: string, file: string, links = 0): boolean {
  let reached = "/";
  for (const [index, part] of file.split("/").entries()) {
    reached = path.join(reached, part);
    const found = fs.lstatSync(path.join(root, reached), { throwIfNoEntry: false });
    if (found === undefined || links > 20) return false;
    if (!found.isSymbolicLink()) continue;
    const target = path.resolve(path.dirname(reached), fs.readlinkSync(path.join(root, reached)));
    return isThere(root, path.join(target, ...file.split("/").slice(index + 1)), links + 1);
  }
  return true;
}
