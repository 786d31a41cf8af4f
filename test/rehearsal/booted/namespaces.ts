import { spawn } from "node:child_process";
import * as fs from "node:fs";

/** Set in the process that is inside: the disk with Debian's part of the machine. */
const DEBIAN = "SEALED_ONION_DEBIAN";
/** Likewise: the process, as it is counted outside, that has made the namespaces. */
const OUTSIDE = "SEALED_ONION_OUTSIDE";

/** Whether this process is in a run's own namespaces: `enterNamespaces` has started it. */
export function isInside(): boolean {
  return process.env[DEBIAN] !== undefined;
}

/** The disk with Debian's part of the machine. */
export function debianDisk(): string {
  return process.env[DEBIAN] ?? "";
}

/** The process outside whose namespaces these are, for `nsenter`. */
export function outsideProcess(): string {
  return process.env[OUTSIDE] ?? "";
}

/** The control group of a run. */
export function runGroup(): string {
  return process.env.GROUP ?? "";
}

/**
 * The first process inside, and so the parent of all that lose theirs. Everything of the run is in memory: /run is its
 * own, and nothing that it mounts is seen outside. `cgroup2` is mounted where the system still has version 1.
 */
const SET_UP = `set -e
mount -t tmpfs -o mode=755,size=75% tmpfs /run
mkdir -m 0755 /run/t
if [ ! -e /sys/fs/cgroup/cgroup.procs ]; then mount -t cgroup2 none /sys/fs/cgroup; fi
mkdir "$GROUP" && echo $$ >"$GROUP/cgroup.procs"
ip link set lo up
set +e
"$@"
exit $?`;

/**
 * Runs a program in namespaces of its own: network, mounts, processes. They end with that process, and it
 * ends when this one does, however that ends: then mounts, interfaces and processes are gone.
 * @param file its TypeScript file, which looks whether it `isInside`
 * @returns its exit code
 */
export async function enterNamespaces(file: string, args: readonly string[], debian: string): Promise<number> {
  const group = `/sys/fs/cgroup/sealed-onion-${process.pid}`;
  const options = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation=private"];
  const program = [process.execPath, "components/start/run.mjs", file, ...args];
  const environment = { ...process.env, [DEBIAN]: debian, GROUP: group, TMPDIR: "/run/t" };
  const unshare = ["-c", `export ${OUTSIDE}=$$; exec unshare "$@"`, "sh"];
  const child = spawn("sh", [...unshare, ...options, "sh", "-c", SET_UP, "sh", ...program], {
    env: environment,
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
  // A terminal's Ctrl-C reaches everybody; a signal to this process alone is passed on.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => child.send?.("end", () => {}));
  const code = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => resolve(status ?? 1));
  });
  removeGroups(process.pid);
  return code;
}

/** Where a system shows control groups of version 2. */
const GROUP_FOLDERS = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

/** A machine's control groups stay when it is killed. Removes those of every run whose process is gone. */
function removeGroups(ended: number): void {
  for (const folder of GROUP_FOLDERS.filter((one) => fs.existsSync(one))) {
    for (const name of fs.readdirSync(folder)) {
      const pid = Number(/^sealed-onion-(\d+)$/.exec(name)?.[1]);
      if (pid === ended || (pid > 0 && !fs.existsSync(`/proc/${pid}`))) removeGroup(`${folder}/${name}`);
    }
  }
}

function removeGroup(folder: string): void {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeGroup(`${folder}/${entry.name}`);
  }
  try {
    fs.rmdirSync(folder);
  } catch (error) {
    // Another run has removed it, or its last process is just ending: the next run tries again.
    if (!["ENOENT", "EBUSY"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/** Inside: calls `end` when the process outside asks for it, or is gone. */
export function endWithOutside(end: () => void): void {
  process.on("message", end);
  process.once("disconnect", end);
  process.channel?.unref();
}
