import * as fs from "node:fs";
import { runMain } from "../process/run-main";
import { UsageError } from "../process/usage-error";
import { failedComment, previewComment } from "./comment";
import { refuseSecrets } from "./guard";
import { readPlan } from "./plan";

const USAGE =
  "which preview? type: pulumi preview --json > preview.json; node components/start/run.mjs preview-comment preview.json";

/**
 * A program: reads a file with the output of `pulumi preview --json` (or standard input), prints one Markdown comment.
 * Of the environment: STACK, COMMIT and RUN_URL are named in it; PREVIEW_STATUS is Pulumi's exit code, and any but 0
 * makes it the comment of a preview that failed.
 */
async function main(): Promise<void> {
  const [file = "/dev/stdin", ...rest] = process.argv.slice(2);
  if (rest.length > 0 || file.startsWith("--")) throw new UsageError(USAGE);
  const comment = commentOf(fs.readFileSync(file, "utf8"), process.env);
  refuseSecrets(comment, process.env);
  process.stdout.write(comment);
}

function commentOf(text: string, { STACK, COMMIT, RUN_URL, PREVIEW_STATUS }: NodeJS.ProcessEnv): string {
  const origin = { commit: COMMIT, run: RUN_URL };
  const hasFailed = (PREVIEW_STATUS ?? "0") !== "0";
  if (!hasFailed) return previewComment(readPlan(text), origin);
  return failedComment(STACK ?? "", errorsIn(text), origin);
}

/** Pulumi that fails early prints no plan: its log has the reason. */
function errorsIn(text: string): readonly string[] {
  try {
    return readPlan(text).errors;
  } catch {
    return [];
  }
}

runMain(main);
