import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { runChild } from "../../../components/process/child-process";

/** Debian's release whose systemd knows all that the guest's units say (`RestartSteps`: 254 and later). */
const release = "trixie";
const packages = [
  ...[
    "curl",
    "dbus",
    "iproute2",
    "jq",
    "libnss-resolve",
    "nftables",
    "nix-bin",
    "openssh-server",
    "openssl",
    "socat",
    "sudo",
  ],
  ...["systemd", "systemd-resolved", "systemd-sysv", "tor", "zstd"],
];
const leftOut = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*"];
const buildMs = 900_000;

/** The folder of a user's caches, as the XDG base directory specification names it. */
function cacheFolder(): string {
  return path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache"), "sealed-onion");
}

/**
 * Debian's part of the machine that boots, as a folder of root's. Built once (about a minute) and kept; nobody writes
 * into it. Two runs at once may both build: the first to be ready is the one that stays.
 */
export async function provideRoot(log: (line: string) => void): Promise<string> {
  const recipe = JSON.stringify({ release, packages, leftOut });
  const digest = createHash("sha256").update(recipe).digest("hex").slice(0, 12);
  const folder = path.join(cacheFolder(), `root-${release}-${digest}`);
  if (fs.existsSync(folder)) return folder;
  log(`building Debian's part of the machine (about a minute, once) in ${folder}`);
  fs.mkdirSync(cacheFolder(), { recursive: true, mode: 0o700 });
  const unfinished = fs.mkdtempSync(`${folder}.`);
  try {
    await bootstrap(path.join(unfinished, "root"));
    fs.renameSync(path.join(unfinished, "root"), folder);
  } catch (error) {
    if (!fs.existsSync(folder)) throw error;
  } finally {
    fs.rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}

async function bootstrap(folder: string): Promise<void> {
  const excluded = leftOut.map((pattern) => `--dpkgopt=path-exclude=${pattern}`);
  const what = ["--variant=minbase", `--include=${packages.join(",")}`, ...excluded, release, folder];
  const { code, stderr } = await runChild("mmdebstrap", ["--quiet", "--mode=root", ...what], { deadlineMs: buildMs });
  if (code !== 0) throw new Error(`mmdebstrap ended with ${code}: ${stderr.trim().split("\n").slice(-3).join(" | ")}`);
}
