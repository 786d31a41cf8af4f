import * as fs from "node:fs";
import { previewComment } from "./preview/comment";
import { refuseSecrets } from "./preview/guard";
import { readPlan } from "./preview/plan";

/** A program: reads a file with the output of `pulumi preview --json` (or standard input), prints one Markdown comment. */
function main(): void {
  const [file = "/dev/stdin", ...rest] = process.argv.slice(2);
  if (rest.length > 0 || file.startsWith("--")) {
    process.stderr.write(
      "which preview? type: pulumi preview --json > preview.json; node run.mjs commands/preview-comment.ts preview.json\n",
    );
    process.exitCode = 2;
    return;
  }
  try {
    const comment = previewComment(readPlan(fs.readFileSync(file, "utf8")));
    refuseSecrets(comment, process.env);
    process.stdout.write(comment);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

main();
