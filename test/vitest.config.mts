import { availableParallelism } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import reasons from "./slow.json" with { type: "json" };

/** Most tests wait for programs that they have started: with a worker for each core, the cores would idle. */
const workers = Math.max(2, availableParallelism()) + 2;

/** Files that are known to be slow start first, the slowest first of all: one that starts last would be waited for alone. */
class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const slow = Object.keys(reasons).map((file) => path.normalize(`/${file}`));
    const place = ({ moduleId }: TestSpecification) => {
      const index = slow.findIndex((file) => moduleId.endsWith(file));
      return index < 0 ? slow.length : index;
    };
    return (await super.sort(files)).sort((left, right) => place(left) - place(right));
  }
}

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  test: {
    globalSetup: ["test/tools.ts"],
    // Many tests run real programs against each other: on a shared CI machine one may starve once.
    retry: process.env.CI ? 1 : 0,
    sequence: { sequencer: SlowFirst },
    // A run of the program leaves much behind: with V8's usual 16 MiB, a third of a test's time went into moving it about.
    execArgv: ["--max-semi-space-size=64", "--single-threaded-gc"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    include: ["test/**/*.test.ts"],
    maxWorkers: workers,
  },
});
