import * as fs from "node:fs";
import * as path from "node:path";
import { findOnPath } from "../../../components/process/find-program";
import type { Cleanup } from "../cleanup";

/** What an update may call on a workstation: its commands are Node's or the shell's, and these are what they call. */
const WATCHED = ["node", "sh", "curl", "sops", "nix", "nix-build", "nix-store", "az", "git", "pass"];

/** Pulumi's language host calls Node for itself, too. */
const isOurs = (call: string) => !/^(node|sh) /.test(call) || /^(node|sh) components\//.test(call);

export interface CalledPrograms {
  /** Name and arguments of each call since the last `forget`, but Pulumi's own. */
  calls(): string[];
  forget(): void;
}

/** Puts programs first on this process's PATH that note their call, then become the real one; `cleanup` takes them away. */
export function watchPrograms(cleanup: Cleanup, folder: string): CalledPrograms {
  const before = process.env.PATH ?? "";
  const log = path.join(folder, "called");
  const programs = path.join(folder, "watched");
  fs.mkdirSync(programs);
  for (const name of WATCHED) {
    const real = findOnPath(name);
    if (real === undefined) continue; // nobody can call it
    const script = `#!/bin/sh\nprintf '%s\\n' "${name} $*" >> '${log}'\nexec '${real}' "$@"\n`;
    fs.writeFileSync(path.join(programs, name), script, { mode: 0o755 });
  }
  process.env.PATH = `${programs}${path.delimiter}${before}`;
  cleanup.add(() => {
    process.env.PATH = before;
  });
  return {
    calls() {
      const lines = fs.existsSync(log) ? fs.readFileSync(log, "utf8").trim().split("\n") : [];
      return lines.filter(isOurs);
    },
    forget: () => fs.rmSync(log, { force: true }),
  };
}
