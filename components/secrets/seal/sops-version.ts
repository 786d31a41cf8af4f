import { spawnSync } from "node:child_process";
import { findOnPath } from "../../process/find-program";
import { howToInstall } from "../../process/tools";
import type { SopsFailure } from "./failure";

/** The first that does all that is asked of it. */
const LEAST = [3, 11] as const;
/** Older ones ask the network for the newest version first. Milliseconds. */
const PATIENCE = 5_000;

/** Whether the sops on PATH is too old, which its own words do not say. */
export function oldVersion(environment: NodeJS.ProcessEnv): SopsFailure | undefined {
  const program = findOnPath("sops", environment);
  if (program === undefined) return undefined;
  const asked = spawnSync(program, ["--disable-version-check", "--version"], {
    env: environment,
    encoding: "utf8",
    timeout: PATIENCE,
  });
  const [, version, major, minor] = /^sops (([0-9]+)\.([0-9]+)\S*)/m.exec(asked.stdout ?? "") ?? [];
  if (version === undefined || !isOlder(Number(major), Number(minor))) return undefined;
  const reason = `sops ${version} (${program}) is too old`;
  return { reason, remedy: `install ${LEAST.join(".")} or later: ${howToInstall("sops")}`, passing: false };
}

function isOlder(major: number, minor: number): boolean {
  return major < LEAST[0] || (major === LEAST[0] && minor < LEAST[1]);
}
