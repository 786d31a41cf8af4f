import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Steps } from "./steps";

let printed = "";
let width = 0;
beforeEach(() => {
  printed = "";
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    printed += text;
    return true;
  });
  width = process.stderr.columns;
  process.stderr.columns = 80;
});
afterEach(() => {
  vi.restoreAllMocks();
  process.stderr.columns = width;
});

it("a step that did not happen has no tick, and says why", () => {
  const steps = new Steps();
  steps.skip("every recipient alone opens", "the vault is the only one");
  expect(printed).toBe(`– ${"every recipient alone opens".padEnd(50)} skipped\n    the vault is the only one\n`);
  expect(steps.times).toEqual([
    { name: "every recipient alone opens", seconds: 0, skipped: "the vault is the only one" },
  ]);
});

it("every line fits 80 columns, words whole; a word that is longer stands alone", async () => {
  const steps = new Steps();
  const address = `http://${"a".repeat(56)}.onion/`;
  await steps.run(
    "its page, fetched over Tor",
    async () => 200,
    (status) => `${status}: ${address}`,
  );
  steps.done("short", 1.25, "2 secrets");
  steps.say(`as expected, its console: ${"a line that is long ".repeat(8)}`);
  steps.say(`${address}${address}`);
  const lines = printed.trimEnd().split("\n");
  expect(lines.filter((line) => line.length > 80)).toEqual([`  ${address}${address}`]);
  expect(lines).toContain(`    200: ${address}`);
  expect(lines).toContain(`✓ ${"short".padEnd(50)}   1.3 s  2 secrets`);
});
