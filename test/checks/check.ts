import { spawnSync } from "node:child_process";

const OUR = ["node", "components/start/run.mjs"];

/** The static checks by name. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  types: ["tsc", "--noCheck", "false"],
  lint: ["biome", "check", "--error-on-warnings"],
  rooms: ["depcruise", "--config", "test/checks/rooms.cjs", "index.ts", "components", "test"],
  unused: ["knip", "--config", "test/checks/knip.json"],
  workflows: [...OUR, "test/checks/workflows.ts"],
  shell: [...OUR, "test/checks/shell.ts"],
  "nix-form": [...OUR, "test/checks/nix-form.ts"],
};

/** `npm run check`: all static checks, or those that are named: `npm run check -- types lint`. npm puts their programs on PATH. */
function check(wanted: readonly string[]): void {
  const unknown = wanted.filter((name) => PARTS[name] === undefined);
  if (unknown.length > 0) {
    console.error(`check must be one of ${Object.keys(PARTS).join(", ")}, got ${unknown.join(", ")}`);
    process.exitCode = 2;
    return;
  }
  const failed: string[] = [];
  for (const [name, [program = "", ...words]] of Object.entries(PARTS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    console.log(`\n${name}`);
    const { status, error } = spawnSync(program, words, { stdio: "inherit" });
    if (error) console.error(`${program} does not start: ${error.message}: type npm ci, then npm run check`);
    if (status !== 0) failed.push(name);
  }
  if (failed.length > 0)
    console.error(`\nfailed: ${failed.join(", ")}: npm run check -- ${failed.join(" ")} runs these alone`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}

check(process.argv.slice(2));
