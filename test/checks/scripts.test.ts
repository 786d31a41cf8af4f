import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import packageFile from "../../package.json";
import { benchNames, resultsTable } from "../bench/results";

const tracked = execFileSync("git", ["ls-files"], { encoding: "utf8" }).split("\n").filter(Boolean);
const texts = tracked.filter((file) => /\.(md|ts|mjs|nix|yml|yaml)$/.test(file) && fs.existsSync(file));
const scripts = Object.keys(packageFile.scripts);

describe("the npm scripts", () => {
  it("are there where a text says to type one", () => {
    const unknown = texts.flatMap((file) => {
      const typed = fs.readFileSync(file, "utf8").matchAll(/npm run (?:-s |--silent )?([a-z][\w:-]*)/g);
      return [...typed].filter(([, name = ""]) => !scripts.includes(name)).map(([words]) => `${file}: ${words}`);
    });
    expect(unknown).toEqual([]);
  });

  it("have no bench of their own without a file", () => {
    const named = scripts.flatMap((name) => /^bench:(.+)$/.exec(name)?.[1] ?? []);
    expect(named.filter((name) => !benchNames().includes(name))).toEqual([]);
    expect(named.length).toBeGreaterThan(3);
  });
});

it("the table of all benches has a row for each figure with its bar, and says which bench failed", () => {
  const results = [
    { name: "seal", code: 0, figures: { ratioToSops: 1.05123, secrets: 100 } },
    { name: "upload", code: 1, figures: undefined },
    { name: "digest", code: 0, figures: undefined },
    {
      name: "upload",
      code: 0,
      figures: { images: { empty: { ratioToFloor: 1.21, ratioToAz: null } }, resentRatio: 0 },
    },
  ];
  expect(resultsTable({ date: "2026-01-02", memory: "4 GiB" }, results).split("\n").slice(2)).toEqual([
    "date: 2026-01-02; memory: 4 GiB",
    "",
    "| bench | figure | value | bar |",
    "| --- | --- | --- | --- |",
    "| seal | ratioToSops | 1.051 | at most 1.3, holds |",
    "| seal | secrets | 100 |  |",
    "| upload | | failed, exit code 1 | |",
    "| digest | | printed no figures | |",
    "| upload | images.empty.ratioToFloor | 1.21 | at most 1.2, missed |",
    "| upload | images.empty.ratioToAz | null |  |",
    "| upload | resentRatio | 0 | at most 0.05, holds |",
    "",
  ]);
});
