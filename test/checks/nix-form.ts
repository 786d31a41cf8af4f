import { execFileSync, spawnSync } from "node:child_process";
import { findOnPath } from "../../components/process/find-program";

/** The form of the Nix files, as the flake's own checks see it: nix/tests/default.nix. */
const CHECKS = [
  ["nixfmt", "--width=120", "--check"],
  ["deadnix", "--fail"],
] as const;

/** Checks the Nix files with what is on PATH; what is not there is named. */
function checkNixForm(): void {
  const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.nix"], {
    encoding: "utf8",
  });
  const paths = files.trim().split("\n");
  const skipped: string[] = CHECKS.map(([program]) => program).filter((program) => !findOnPath(program));
  for (const [program, ...options] of CHECKS.filter(([name]) => !skipped.includes(name))) {
    const { status } = spawnSync(program, [...options, ...paths], { stdio: "inherit" });
    console.log(`${program}: ${paths.length} files, exit code ${status}`);
    if (status !== 0) process.exitCode = status ?? 1;
  }
  if (skipped.length > 0) console.log(`nix form: ${skipped.length} skipped: not on PATH: ${skipped.join(", ")}`);
}

checkNixForm();
