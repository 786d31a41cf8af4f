import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { ChildOptions } from "../../../components/process/child-process";
import { mountRoot } from "./disk";
import { childrenOf, killWhole, readProcess } from "./kill-whole";
import { MACHINE_NETWORK } from "./network";
import { PLATFORM } from "./root-tree";
import { succeed } from "./succeed";

/** What systemd-nspawn ends with when its machine restarts. */
const REBOOT = 133;

/** Runs a program in a control group of its own. */
const IN_GROUP = 'mkdir -p "$1" && echo $$ >"$1/cgroup.procs" && shift && exec "$@"';

export interface MachineOptions {
  /** Its disk, a file: what it writes stays there. */
  disk: string;
  /** A folder for mounts. */
  folder: string;
  /** The platform's files for it (PLATFORM): `ca.pem`, `torrc`. */
  platform: string;
  console: (line: string) => void;
  /** Where several boot side by side: what this one has for itself. */
  own?: OwnParts;
}

/** What each of several machines must have for itself. */
export interface OwnParts {
  readonly name: string;
  /** Its network namespace, as a path. */
  readonly network: string;
  /** A control group that is not there yet: two systemds in one would take each other's processes. */
  readonly group: string;
  /** Changes its mounted disk before it boots. @param root where that is mounted */
  prepare(root: string): void;
}

/** A machine with a systemd of its own as its first process. */
export class BootedMachine {
  private child: ChildProcess | undefined;
  private ended: Promise<number> = Promise.resolve(0);
  private readonly root: string;

  constructor(private readonly options: MachineOptions) {
    this.root = `${options.folder}/root`;
  }

  /** The file that is its disk. */
  get disk(): string {
    return this.options.disk;
  }

  /** Mounts the disk and boots. @param disk another disk than before, where given */
  async switchOn(disk = this.options.disk): Promise<void> {
    this.options.disk = disk;
    await mountRoot(disk, this.root);
    this.options.own?.prepare(this.root);
    this.boot();
  }

  private boot(): void {
    const { own, platform } = this.options;
    const { name = "vm", network = MACHINE_NETWORK } = own ?? {};
    const isolation = ["--register=no", "--keep-unit", "--settings=no", "--link-journal=no", "--resolv-conf=off"];
    const rights = ["--capability=CAP_NET_ADMIN,CAP_SYS_ADMIN", `--network-namespace-path=${network}`];
    const shown = ["--timezone=off", "--console=read-only", `--machine=${name}`, `--bind-ro=${platform}:${PLATFORM}`];
    const how = ["--quiet", "--boot", "--kill-signal=SIGRTMIN+3", ...isolation, ...rights, ...shown];
    const nspawn = ["systemd-nspawn", "-D", this.root, ...how];
    const [program = "", ...args] = own === undefined ? nspawn : ["sh", "-c", IN_GROUP, "sh", own.group, ...nspawn];
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) this.readConsole(stream);
    this.ended = new Promise((resolve) => child.once("close", (code) => resolve(code ?? -1)));
    void this.ended.then((code) => {
      if (code === REBOOT && this.child === child) this.boot();
    });
  }

  private readConsole(stream: NodeJS.ReadableStream): void {
    let rest = "";
    stream.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split(/\r?\n/);
      rest = lines.pop() ?? "";
      // biome-ignore lint/suspicious/noControlCharactersInRegex: a console's colours
      for (const line of lines) this.options.console(line.replaceAll(/\x1b\[[0-9;?]*[A-Za-z]/g, ""));
    });
  }

  /** The process id of the machine's first process, seen from here; undefined while it is off or still starting. */
  leader(): number | undefined {
    const nspawn = this.child?.pid;
    if (nspawn === undefined || this.child?.exitCode !== null) return undefined;
    return childrenOf(nspawn).find((pid) => nameOf(pid) === "systemd");
  }

  /** Runs a program on the machine, as root. @returns what it printed */
  async run(program: string, args: readonly string[] = [], options: ChildOptions = {}): Promise<string> {
    const leader = this.leader();
    if (leader === undefined) throw new Error(`the machine is off: '${program}' cannot run`);
    const enter = ["--target", String(leader), "--all", "--root", "--wdns=/", "--", program, ...args];
    const environment = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };
    return succeed("nsenter", enter, { deadlineMs: 30_000, environment, ...options });
  }

  /** Restarts it as `reboot` does, and waits until its next start has begun. */
  async reboot(): Promise<void> {
    const before = this.ended;
    await this.run("systemctl", ["--no-block", "reboot"]);
    await before;
  }

  /** Switches itself off, as `systemctl poweroff` does: its services end first. */
  async powerOff(): Promise<void> {
    const { ended } = this;
    await this.run("systemctl", ["--no-block", "poweroff"]);
    await ended;
    this.child = undefined;
    await this.unmount();
  }

  /**
   * As if the plug were pulled: what it had not written to its disk is lost.
   * @param copy a file for the disk as it is then: what lies in the file system's memory is not in it
   */
  async cutPower(copy?: string): Promise<void> {
    const { child } = this;
    if (child === undefined) return;
    this.child = undefined;
    await killWhole(child);
    await this.ended;
    if (copy !== undefined) await succeed("cp", ["--sparse=always", this.options.disk, copy]);
    await this.unmount();
  }

  /** Switches it off as Azure does: it may end its services. */
  async switchOff(): Promise<void> {
    const { child } = this;
    if (child === undefined) return;
    this.child = undefined;
    child.kill("SIGTERM");
    const late = sleep(10_000).then(() => killWhole(child));
    await Promise.race([this.ended, late]);
    await this.ended;
    await this.unmount();
  }

  private async unmount(): Promise<void> {
    await succeed("umount", ["--recursive", this.root]);
  }
}

function nameOf(pid: number): string {
  return readProcess(pid, "comm").trim();
}
