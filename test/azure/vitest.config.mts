import { defineConfig } from "vitest/config";

/** This package's own tests alone: `npm test -w loopback-azure`. What needs a program that is not on PATH is skipped. */
export default defineConfig({ test: { include: ["**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 } });
