import { execFileSync, spawnSync } from "node:child_process";
import { howToInstall } from "../../components/process/tools";
import { provideTools } from "../rehearsal/setup";

/** Checks the repository's shell scripts with shellcheck. */
async function checkShell(): Promise<void> {
  const scripts = execFileSync("git", ["ls-files", "*.sh", ".ci/run"], { encoding: "utf8" }).trim().split("\n");
  const missing = await provideTools(["shellcheck"], console.error);
  if (missing.length > 0) {
    console.log(`shellcheck: skipped: it is not on PATH: type ${howToInstall("shellcheck")}`);
    return;
  }
  const { status } = spawnSync("shellcheck", scripts, { stdio: "inherit" });
  console.log(`shellcheck: ${scripts.length} scripts, exit code ${status}`);
  process.exitCode = status ?? 1;
}

void checkShell();
