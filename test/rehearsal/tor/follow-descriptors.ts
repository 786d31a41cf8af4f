import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { withGuestPrograms } from "../guest/guest-programs";

/** What the guest's script tells of one address. */
export interface FollowedDescriptor {
  readonly published: string | null;
  readonly state: "other" | "own" | "waiting";
}

export interface Follower {
  read(): FollowedDescriptor | undefined;
  /** Waits for what the script tells of the address. */
  until(state: FollowedDescriptor["state"]): Promise<void>;
  /** What it had systemd do, a line each. */
  systemctl(): string[];
  /** What tor has counted; undefined before. */
  visits(): { introductions: number; seconds: number } | undefined;
  stderr(): string;
  close(): Promise<void>;
}

export interface FollowOptions {
  /** For how long the machine has run, as the script sees it. @default 60 */
  uptimeSeconds?: number;
  /** Seconds between two counts of visits. @default none is counted */
  count?: number;
}

const DEADLINE_MS = 60_000;

/** Runs the guest's script beside a tor of the rehearsal, with a `systemctl` that only takes notes. */
export function followDescriptors(
  directory: string,
  tor: string,
  hostname: string,
  { uptimeSeconds = 60, count = 0 }: FollowOptions = {},
): Follower {
  const state = fs.mkdtempSync(path.join(directory, `${path.basename(tor)}-followed-`));
  const programs = path.join(state, "bin");
  fs.mkdirSync(programs, { recursive: true });
  const notes = path.join(state, "systemctl");
  fs.writeFileSync(notes, "");
  fs.writeFileSync(path.join(programs, "systemctl"), `#!/bin/sh\necho "$*" >>'${notes}'\n`, { mode: 0o755 });
  fs.writeFileSync(path.join(state, "uptime"), `${uptimeSeconds}.00 1.00\n`);
  const options = ["-o", "errexit", "-o", "nounset", "-o", "pipefail"];
  const script = path.resolve("nix", "scripts", "follow-descriptors.sh");
  const child = spawn("bash", [...options, script, path.join(tor, "control"), hostname], {
    env: {
      PATH: withGuestPrograms(`${programs}:${process.env.PATH}`),
      SEALED_ONION_STATE: state,
      SEALED_ONION_SAID: path.join(state, "said"),
      SEALED_ONION_UPTIME: path.join(state, "uptime"),
      SEALED_ONION_LOOK: "2",
      SEALED_ONION_COUNT: `${count}`,
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));

  function read(): FollowedDescriptor | undefined {
    const file = path.join(state, "descriptors.json");
    if (!fs.existsSync(file)) return undefined;
    return (JSON.parse(fs.readFileSync(file, "utf8")) as Record<string, FollowedDescriptor>)[hostname];
  }

  return {
    read,
    async until(wanted) {
      for (const deadline = Date.now() + DEADLINE_MS; read()?.state !== wanted; await sleep(100)) {
        if (child.exitCode !== null || Date.now() > deadline)
          throw new Error(`${hostname} is ${read()?.state}, not ${wanted}: ${said}`);
      }
    },
    systemctl: () => fs.readFileSync(notes, "utf8").split("\n").filter(Boolean),
    visits() {
      const file = path.join(state, "visits.json");
      return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : undefined;
    },
    stderr: () => said,
    async close() {
      child.kill("SIGTERM");
      await closed;
    },
  };
}
