import * as fs from "node:fs";
import * as path from "node:path";
import type { Stage } from "./stage";

/** The checkout's: while an engine runs in this process, the working folder is the program's. */
const FOLDER = path.resolve(".cache", "rehearsal", "stories");

/** Forgets what runs before have kept. */
export function clearEvidence(): void {
  fs.rmSync(FOLDER, { recursive: true, force: true });
}

/** Keeps what the machine's console showed and its journal says of a story. @returns the file */
export async function keepEvidence(
  stage: Pick<Stage, "console" | "machine">,
  story: string,
  since: Date,
  mark: number,
): Promise<string> {
  const seconds = Math.floor(since.getTime() / 1000);
  const journal = await stage.machine
    .run("journalctl", ["--no-pager", "--output=short-precise", `--since=@${seconds}`])
    .catch((error: Error) => error.message);
  const console = stage.console.lines.slice(mark).join("\n");
  fs.mkdirSync(FOLDER, { recursive: true });
  const file = path.join(FOLDER, `${story.replaceAll(/[^A-Za-z0-9]+/g, "-")}.log`);
  fs.writeFileSync(file, `# the console\n${console}\n\n# the journal\n${journal}\n`);
  return file;
}
