// `npm test`: vitest, with its own arguments. `npm test -- --slow` lists the ten slowest tests after it, and why each is.
// `npm test -- --long` repeats what is left to chance often enough to find what is rare (see volume.ts); each night does.
import "../components/start/node-version.cjs";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
if (!existsSync(path.join(here, "..", "node_modules", "vitest", "package.json"))) {
  console.error("the npm packages are not installed: type npm ci, then this again");
  process.exit(1);
}
const given = process.argv.slice(2);
const isSlow = given.includes("--slow");
const isLong = given.includes("--long");
const folder = mkdtempSync(path.join(tmpdir(), "sealed-onion-tests-"));
const report = path.join(folder, "report.json");
const vitest = path.join(path.dirname(require.resolve("vitest/package.json")), "vitest.mjs");
const reporters = isSlow ? ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`] : [];
const argv = ["run", "--config", path.join(here, "vitest.config.mts"), ...reporters];
const own = ["--slow", "--long"];
const { status } = spawnSync(process.execPath, [vitest, ...argv, ...given.filter((word) => !own.includes(word))], {
  stdio: "inherit",
  env: { ...process.env, ...(isLong && { SEALED_ONION_LONG: "1" }) },
});
if (isSlow) listSlowest(JSON.parse(readFileSync(report, "utf8")));
rmSync(folder, { recursive: true });
process.exitCode = status ?? 1;

/** @param {{ testResults: { name: string, assertionResults: { fullName: string, duration?: number }[] }[] }} result */
function listSlowest({ testResults }) {
  const reasons = JSON.parse(readFileSync(path.join(here, "slow.json"), "utf8"));
  const tests = testResults.flatMap(({ name, assertionResults }) => {
    const file = path.relative(path.join(here, ".."), name);
    return assertionResults.map(({ fullName, duration = 0 }) => ({ file, fullName, duration }));
  });
  console.log("\nthe ten slowest tests");
  for (const { file, fullName, duration } of tests.sort((a, b) => b.duration - a.duration).slice(0, 10)) {
    console.log(`${(duration / 1000).toFixed(1).padStart(6)} s  ${fullName.trim()}`);
    console.log(
      `          ${file}: ${reasons[file] ?? "no reason is known: make it faster, or say why in test/slow.json"}`,
    );
  }
}
