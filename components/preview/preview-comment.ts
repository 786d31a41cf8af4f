import * as fs from "node:fs";
import { previewComment } from "./comment";
import { refuseSecrets } from "./guard";
import { readPlan } from "./plan";

/** A program: reads a file with the output of `pulumi preview --json` (or standard input), prints one Markdown comment. */
function main(): void {
  const [file = "/dev/stdin", ...rest] = process.argv.slice(2);
  if (rest.length > 0 || file.startsWith("--")) {
    process.stderr.write(
      "which preview? type: pulumi preview --json > preview.json; node components/start/run.mjs preview-comment preview.json\n",
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
