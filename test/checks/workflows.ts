import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { findOnPath } from "../../components/process/find-program";
import { unpinnedActions } from "./action-pins";

const FOLDER = path.join(".github", "workflows");
/** Built from upstream's source where it is not installed: Go checks it against its checksum database. */
const upstream = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.8";

/** Checks that every action is pinned to a commit. */
function checkPins(): void {
  const files = fs.readdirSync(FOLDER).map((name) => path.join(FOLDER, name));
  const unpinned = files.flatMap((file) =>
    unpinnedActions(fs.readFileSync(file, "utf8")).map((action) => `${file}:${action}`),
  );
  for (const action of unpinned) console.log(`${action}: pin it as owner/name@COMMIT # vTAG`);
  console.log(`actions: ${files.length} workflows, ${unpinned.length} not pinned`);
  if (unpinned.length > 0) process.exitCode = 1;
}

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
  if (status !== 0) process.exitCode = status ?? 1;
}

checkPins();
checkWorkflows();
