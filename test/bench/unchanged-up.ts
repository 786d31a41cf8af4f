import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Cleanup } from "../rehearsal/cleanup";
import { openStage } from "../rehearsal/engine/open-stage";
import { requireTools } from "../rehearsal/setup";
import { median } from "./median";

/** Seconds that an update of a deployed stack takes longer than `pulumi preview`, with nothing to change. */
export interface UnchangedUp {
  /** `pulumi up --skip-preview`: one run of the program, as the preview is. */
  readonly skipped: number;
  /** `pulumi up`: Pulumi runs the program twice, for its preview and for its update. */
  readonly previewed: number;
}

const ROUNDS = 5;

/** As a person types them. The Automation API's `up` asks the CLI three times more, for outputs and history. */
const COMMANDS = {
  preview: ["preview"],
  skipped: ["up", "--yes", "--skip-preview"],
  previewed: ["up", "--yes"],
};

/** Under Pulumi's own engine, in turns. @throws if anything in Azure was asked */
export async function unchangedUp(timed: (work: () => Promise<unknown>) => Promise<number>): Promise<UnchangedUp> {
  const cleanup = new Cleanup();
  try {
    await requireTools(["sops"], (line) => console.error(line)); // the first up seals
    const { azure, engine, folder, stack } = await openStage(cleanup, process.cwd(), "pulumi");
    await engine.up();
    azure.requests.clear();
    const run = (words: readonly string[]): Promise<unknown> =>
      promisify(execFile)("pulumi", [...words, "--non-interactive", "--stack", stack], {
        cwd: folder,
        env: engine.environment,
      });
    const extra = { skipped: [] as number[], previewed: [] as number[] };
    for (let turn = 0; turn <= ROUNDS; turn += 1) {
      const preview = await timed(() => run(COMMANDS.preview));
      for (const way of ["skipped", "previewed"] as const) {
        const seconds = (await timed(() => run(COMMANDS[way]))) - preview;
        if (turn > 0) extra[way].push(seconds); // the first turn fills caches
      }
    }
    const asked = azure.requests.entries.map(({ method, host }) => `${method} ${host}`);
    if (asked.length > 0) throw new Error(`an up with nothing to change asked ${[...new Set(asked)].join(", ")}`);
    return { skipped: median(extra.skipped), previewed: median(extra.previewed) };
  } finally {
    await cleanup.run();
  }
}
