import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/**
 * What a deployer's installation takes: `npm ci --omit=dev` of this project in a fresh folder, with what npm's cache has
 * after a first one. The stand-in for Azure must not be in it.
 *
 *   npm run bench -- install              a line for people
 *   npm run bench -- install --json       and a last line of JSON
 */
const bars = { megabytes: 380, seconds: 15 };
const ROUNDS = 2;
/**
 * Of the stand-in and of checks: nobody who deploys needs them. npm keeps two of them: typescript, which Pulumi's SDK names as
 * an optional peer, and zod, which checks and the stand-in have in common.
 */
const strangers = ["azurite", "vitest", "typescript", "zod", "@biomejs/biome", "loopback-azure"];

const root = fs.mkdtempSync(path.join(os.tmpdir(), "bench-install-"));
try {
  for (const file of ["package.json", "package-lock.json", "test/azure/package.json", "test/rehearsal/package.json"]) {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    fs.copyFileSync(file, path.join(root, file));
  }
  const modules = path.join(root, "node_modules");
  const times = Array.from({ length: 1 + ROUNDS }, () => {
    fs.rmSync(modules, { recursive: true, force: true });
    const started = performance.now();
    const words = [
      "ci",
      "--omit=dev",
      "--workspaces=false",
      "--prefer-offline",
      "--no-audit",
      "--no-fund",
      "--loglevel=error",
    ];
    execFileSync("npm", words, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
    return (performance.now() - started) / 1000;
  });
  const [kibibytes = ""] = execFileSync("du", ["-sk", modules], { encoding: "utf8" }).split("\t");
  const result = {
    megabytes: Math.round((Number(kibibytes) * 1024) / 1e6),
    seconds: Number(Math.min(...times.slice(1)).toFixed(1)),
    strangers: strangers.filter((name) => fs.existsSync(path.join(modules, name))).join(", "),
  };
  console.log(
    `installed for a deployer: ${result.megabytes} MB in ${result.seconds} s, at most ${JSON.stringify(bars)}`,
  );
  if (result.strangers !== "") console.log(`  missed: ${result.strangers} came with it`);
  if (process.argv.includes("--json")) console.log(JSON.stringify(result));
} finally {
  fs.rmSync(root, { recursive: true });
}
