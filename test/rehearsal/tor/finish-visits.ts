import * as fs from "node:fs";
import * as path from "node:path";
import { runChild } from "../../../components/process/child-process";
import { withGuestPrograms } from "../guest/guest-programs";

/**
 * Runs the guest's script for a machine that goes, beside a tor of the rehearsal.
 * @param tor the tor's own folder
 * @param target what systemd has been asked for: `poweroff.target`, as where Azure deletes a machine, or another one
 */
export async function finishVisits(tor: string, target = "poweroff.target"): Promise<void> {
  const programs = fs.mkdtempSync(`${tor}-finish-`);
  // As `systemctl list-jobs` does, for the one job that there is.
  const job = `for unit; do [ "$unit" != ${target} ] || echo "1 ${target} start waiting"; done`;
  fs.writeFileSync(path.join(programs, "systemctl"), `#!/bin/sh\n${job}\n`, { mode: 0o755 });
  try {
    const environment = { PATH: withGuestPrograms(`${programs}:${process.env.PATH}`) };
    const { code, stderr } = await runChild("finish-visits", [path.join(tor, "control")], { environment });
    if (code !== 0) throw new Error(`finish-visits ended with exit code ${code}: ${stderr}`);
  } finally {
    fs.rmSync(programs, { recursive: true, force: true });
  }
}
