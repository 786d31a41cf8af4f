import { spawnSync } from "node:child_process";
import { findOnPath } from "../commands/tools";

/** Built from upstream's source where it is not installed: Go checks it against its checksum database. */
const upstream = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.8";

/** Checks the GitHub workflows, and with shellcheck on PATH the scripts in them. */
function checkWorkflows(): void {
  const [program, ...args] = findOnPath("actionlint") ? ["actionlint"] : ["go", "run", upstream];
  if (program === undefined || !findOnPath(program)) {
    console.log(
      "actionlint: skipped: neither actionlint nor go is on PATH: type brew install actionlint, or install go",
    );
    return;
  }
  const { status } = spawnSync(program, args, { stdio: "inherit" });
  console.log(`actionlint: exit code ${status}`);
  process.exitCode = status ?? 1;
}

checkWorkflows();
