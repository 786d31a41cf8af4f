import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { runChild } from "../../../components/process/child-process";
import { makeDisk } from "./disk";
import { succeed } from "./succeed";

/** Debian's release whose systemd knows all that the guest's units say (`RestartSteps`: 254 and later). */
const RELEASE = "trixie";
const PACKAGES = [
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
const LEFT_OUT = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*"];
const BUILD_MS = 900_000;

/** What has installed Debian's packages, and nothing of the machine needs: each megabyte is written, sent and searched. */
const unneeded = [
  ...["usr/lib/apt", "var/lib/dpkg", "var/lib/apt", "var/cache", "usr/bin/sqv", "usr/bin/dpkg", "usr/bin/localedef"],
  ...["usr/share/zoneinfo", "usr/share/bash-completion", "usr/share/common-licenses", "usr/share/lintian"],
  ...[
    "usr/bin/bash-static",
    "usr/bin/pzstd",
    "usr/share/perl",
    "usr/share/perl5",
    "usr/sbin/tc",
    "usr/bin/tor-gencert",
  ],
  ...["ssh", "ssh-add", "ssh-agent", "ssh-keyscan"].map((name) => `usr/bin/${name}`),
  ...["ssh-keysign", "ssh-pkcs11-helper", "ssh-sk-helper"].map((name) => `usr/lib/openssh/${name}`),
  ...["gconv", "perl", "perl5", "libperl.so.5.40.1", "libmvec.so.1", "libdb-5.3.so", "libapt-pkg.so.7.0.0"].map(
    (name) => `usr/lib/x86_64-linux-gnu/${name}`,
  ),
];

/** The folder of a user's caches, as the XDG base directory specification names it. */
function cacheFolder(): string {
  return path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache"), "sealed-onion");
}

/**
 * Debian's part of the machine that boots, as a raw disk. Built once and kept; nobody writes into it.
 * @returns its file
 */
export async function provideBaseDisk(log: (line: string) => void): Promise<string> {
  const folder = await provideRoot(log);
  return provide(`${folder}-disk-${digestOf(unneeded)}`, async (unfinished) => {
    const root = `${unfinished}.root`;
    await succeed("cp", ["--archive", folder, root]);
    for (const name of unneeded) fs.rmSync(path.join(root, name), { recursive: true, force: true });
    await makeDisk(root, unfinished);
  });
}

/** As a folder of root's. About a minute. */
async function provideRoot(log: (line: string) => void): Promise<string> {
  const folder = path.join(
    cacheFolder(),
    `root-${RELEASE}-${digestOf({ release: RELEASE, packages: PACKAGES, leftOut: LEFT_OUT })}`,
  );
  return provide(folder, async (unfinished) => {
    log(`building Debian's part of the machine (about a minute, once) in ${folder}`);
    await bootstrap(unfinished);
  });
}

function digestOf(recipe: unknown): string {
  return createHash("sha256").update(JSON.stringify(recipe)).digest("hex").slice(0, 12);
}

/** Two runs at once may both make it: the first to be ready is the one that stays. @returns the place, where it is then */
async function provide(place: string, make: (unfinished: string) => Promise<void>): Promise<string> {
  if (fs.existsSync(place)) return place;
  fs.mkdirSync(cacheFolder(), { recursive: true, mode: 0o700 });
  const workshop = fs.mkdtempSync(`${place}.`);
  try {
    await make(path.join(workshop, "made"));
    fs.renameSync(path.join(workshop, "made"), place);
  } catch (error) {
    if (!fs.existsSync(place)) throw error;
  } finally {
    fs.rmSync(workshop, { recursive: true, force: true });
  }
  return place;
}

async function bootstrap(folder: string): Promise<void> {
  const excluded = LEFT_OUT.map((pattern) => `--dpkgopt=path-exclude=${pattern}`);
  const what = ["--variant=minbase", `--include=${PACKAGES.join(",")}`, ...excluded, RELEASE, folder];
  const { code, stderr } = await runChild("mmdebstrap", ["--quiet", "--mode=root", ...what], { deadlineMs: BUILD_MS });
  if (code !== 0) throw new Error(`mmdebstrap ended with ${code}: ${stderr.trim().split("\n").slice(-3).join(" | ")}`);
}
