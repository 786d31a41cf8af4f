import * as fs from "node:fs";
import * as path from "node:path";
import { runChild } from "../../../components/process/child-process";
import type { Unit } from "./evaluate";

/** Where this machine's systemd keeps the units that NixOS takes from its own: targets, sockets, the early boot. */
const SYSTEM_UNITS = [
  "/usr/lib/systemd/system",
  "/lib/systemd/system",
  "/run/current-system/systemd/lib/systemd/system",
];

/** Highest exposure (of 10) that `systemd-analyze security` may find in a unit of ours. */
const HIGHEST_EXPOSURE = 2.5;

/** What an older systemd than the guest's does not know yet, and says so. */
const NEWER_THAN_HERE = /Unknown (key|lvalue|section)|Failed to parse service type, ignoring: notify-reload/;

/**
 * Writes rendered units as systemd finds them, with the links of what wants and requires them. Programs lie in a Nix
 * store that is not here: `true` stands in for each.
 */
export function writeUnits(units: Readonly<Record<string, Unit>>, folder: string): void {
  for (const [name, unit] of Object.entries(units)) {
    const text = unit.text.replaceAll(/^(Exec\w+=[-+@:!|]*)\S+/gm, "$1/bin/true");
    const isWhole = /^Exec(Start|Stop)=|^Listen/m.test(text) || !/\.(service|socket)$/.test(name);
    if (!isWhole && systemUnit(name) === undefined) continue; // adds to a unit that only the guest's systemd has
    const file = isWhole ? path.join(folder, name) : path.join(folder, `${name}.d`, "overrides.conf");
    write(file, text);
    for (const target of unit.wantedBy) link(name, path.join(folder, `${target}.wants`));
    for (const target of unit.requiredBy) link(name, path.join(folder, `${target}.requires`));
  }
}

/**
 * What `systemd-analyze verify` finds in the boot that leads to these units: ordering cycles, unknown units, mistakes in
 * settings. One line each; none if all is well.
 */
export async function verifyUnits(folder: string, names: readonly string[]): Promise<string[]> {
  const environment = { ...process.env, SYSTEMD_UNIT_PATH: [folder, ...SYSTEM_UNITS].join(":") };
  const { stderr } = await runChild("systemd-analyze", ["verify", "--man=no", "multi-user.target", ...names], {
    environment,
  });
  return [...new Set(stderr.split("\n").filter((line) => line !== "" && !NEWER_THAN_HERE.test(line)))];
}

/** How exposed each unit is (0: not at all, 10: wholly), by `systemd-analyze security --offline`. */
export async function exposures(folder: string, names: readonly string[]): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const name of names) {
    const file = path.join(folder, name);
    const { stdout, stderr } = await runChild("systemd-analyze", ["security", "--offline=true", "--no-pager", file]);
    const exposure = /Overall exposure level for \S+: ([\d.]+)/.exec(stdout.toString("utf8"))?.[1];
    if (exposure === undefined) throw new Error(`systemd-analyze security says nothing of ${name}: ${stderr.trim()}`);
    found.set(name, Number(exposure));
  }
  return found;
}

/** The units of these that are more exposed than ours may be, in words. */
export function tooExposed(found: ReadonlyMap<string, number>): string[] {
  return [...found]
    .filter(([, exposure]) => exposure > HIGHEST_EXPOSURE)
    .map(([name, exposure]) => `${name} has exposure ${exposure}, at most ${HIGHEST_EXPOSURE} is allowed`);
}

function systemUnit(name: string): string | undefined {
  return SYSTEM_UNITS.map((folder) => path.join(folder, name)).find((file) => fs.existsSync(file));
}

function write(file: string, text: string): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}

function link(name: string, folder: string): void {
  fs.mkdirSync(folder, { recursive: true });
  fs.symlinkSync(path.join("..", name), path.join(folder, name));
}
