import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/tools.ts"],
    // Many tests run real programs against each other: on a shared CI machine one may starve once.
    retry: process.env.CI ? 1 : 0,
    // Most tests wait for programs that they have started: a core less than there are, vitest's default, would idle.
    maxWorkers: Math.max(2, availableParallelism()),
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
