import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { findOnPath } from "../../../components/process/find-program";

/** azcopy as Microsoft publishes it on npm, for Linux on x86-64. Its archive is checked against this hash. */
const PACKAGE = "@azure-tools/azcopy-linux@10.32.2";
const INTEGRITY = "HYzIzrYGa50zShq+mdGt/ARDFcE6kOaNUDZohiF/JNM3A2ZhzLtm9TFX/3wSs98kOgAY7tvXyTQrQvdqbhMioA==";

/**
 * The path of an azcopy that runs: fetched once into `.tools/`, else from PATH.
 * @returns undefined where there is none for this machine, or where its library libsecret is missing
 */
export function provideAzcopy(log: (line: string) => void): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return findOnPath("azcopy");
  const program = path.resolve(".tools", "bin", "azcopy");
  if (!fs.existsSync(program)) fetchAzcopy(program, log);
  try {
    execFileSync(program, ["--version"], { stdio: "pipe" });
    return program;
  } catch {
    log("azcopy does not start: type `apt-get install libsecret-1-0`");
    return undefined;
  }
}

function fetchAzcopy(program: string, log: (line: string) => void): void {
  log(`fetching ${PACKAGE} (hash-pinned) into .tools/`);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "azcopy-"));
  try {
    execFileSync("npm", ["pack", "--silent", `--pack-destination=${folder}`, PACKAGE], { stdio: "pipe" });
    const archive = path.join(folder, fs.readdirSync(folder)[0] ?? "");
    const found = createHash("sha512").update(fs.readFileSync(archive)).digest("base64");
    if (found !== INTEGRITY) throw new Error(`${PACKAGE} has another content than was pinned: ${found}`);
    execFileSync("tar", ["-x", "-f", archive, "-C", folder]);
    fs.mkdirSync(path.dirname(program), { recursive: true });
    fs.copyFileSync(path.join(folder, "package", "dist", "bin", "azcopy_linux_amd64"), `${program}.${process.pid}`);
    fs.chmodSync(`${program}.${process.pid}`, 0o755); // the package lacks the run bit
    fs.renameSync(`${program}.${process.pid}`, program);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}
