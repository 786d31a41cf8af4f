import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** What measures how long a client of tor waits: beside other tests it would measure them. */
const alone = ["test/rehearsal/tor/replacement.test.ts"];
const cores = Math.max(2, availableParallelism());

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  test: {
    globalSetup: ["test/tools.ts"],
    // Many tests run real programs against each other: on a shared CI machine one may starve once.
    retry: process.env.CI ? 1 : 0,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "tests",
          include: ["test/**/*.test.ts"],
          exclude: ["**/node_modules/**", ...alone],
          // Most tests wait for programs that they have started: a core less than there are, vitest's default, would idle.
          maxWorkers: cores,
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: "alone", include: alone, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});
