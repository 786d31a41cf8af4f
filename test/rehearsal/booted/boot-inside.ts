import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { findOnPath } from "../../../components/process/find-program";
import { howToInstall } from "../../../components/process/tools";
import { RECOVERY_TOOLS } from "../recovery";
import { provideTools } from "../setup";
import { enterNamespaces } from "./namespaces";
import { provideBaseDisk } from "./root-cache";

const TOOLS = [
  ...(["busybox", "curl", "ip", "jq", "mke2fs", "mmdebstrap", "nix", "zstd"] as const),
  ...(["sops", "ssh-keygen", "systemd-nspawn", "tor", "tor-gencert"] as const),
];

/** Why no machine can boot here, in one line; undefined where one can. Nothing is installed. */
export function cannotBoot(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64")
    return `it takes Linux on x86-64, this is ${process.platform} on ${process.arch}`;
  if (process.getuid?.() !== 0) return "it takes root: type sudo npm run rehearse -- --boot";
  if (!fs.existsSync("/dev/loop-control")) return "there is no /dev/loop-control, so no disk can be mounted";
  if (!findOnPath("unshare")) return "unshare is not on PATH: type apt-get install util-linux";
  const namespaces = ["--mount", "--net", "--pid", "--fork", "--mount-proc", "true"];
  const { status, stderr } = spawnSync("unshare", namespaces, { encoding: "utf8" });
  return status === 0 ? undefined : `this root may not make namespaces: ${stderr.trim()}`;
}

/**
 * Installs what a boot needs, builds Debian's part of the machine, and runs a program in namespaces.
 * @param file the program's TypeScript file
 * @returns the exit code
 */
export async function bootInside(file: string, args: readonly string[]): Promise<number> {
  const say = (line: string) => void process.stderr.write(`  ${line}\n`);
  const reason = cannotBoot() ?? missingTools(await provideTools([...TOOLS, ...RECOVERY_TOOLS], say));
  if (reason !== undefined) throw new Error(`no machine can boot here: ${reason}`);
  return enterNamespaces(file, args, await provideBaseDisk(say));
}

function missingTools(all: Parameters<typeof howToInstall>[0][]): string | undefined {
  const missing = all.filter((tool) => TOOLS.some((needed) => needed === tool));
  if (missing.length === 0) return undefined;
  return missing.map((tool) => `${tool} is not on PATH: type ${howToInstall(tool)}`).join(", ");
}
