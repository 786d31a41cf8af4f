import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { expect, it } from "vitest";
import { provideOnionbalance, pythonPath } from "../rehearsal/replicas/onionbalance";

it("the front end's functions hold beside the real Onionbalance", async ({ skip }) => {
  const onionbalance = await provideOnionbalance((line) => console.error(line));
  if (onionbalance.skipped !== undefined) return skip(onionbalance.skipped);
  const modules = fs.readdirSync("test/nix/frontend").flatMap((name) => /^(test_.*)\.py$/.exec(name)?.slice(1) ?? []);
  const { status, stderr } = spawnSync(onionbalance.python, ["-m", "unittest", ...modules], {
    cwd: "test/nix/frontend",
    env: { PATH: process.env.PATH, PYTHONPATH: pythonPath(onionbalance), PYTHONDONTWRITEBYTECODE: "1" },
    encoding: "utf8",
  });
  expect(stderr).toMatch(/^Ran \d\d+ tests/m);
  expect(status, stderr).toBe(0);
}, 120_000);
