import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { describe, expect, it } from "vitest";

const tracked = execFileSync("git", ["ls-files"], { encoding: "utf8" }).split("\n").filter(Boolean);
const rooms = [...new Set(tracked.map((file) => /^components\/([^/]+)\//.exec(file)?.[1]))].filter((room) => room);

describe("the house", () => {
  it("shows at its top level what a newcomer has to see, and nothing else", () => {
    const visible = [...new Set(tracked.map((file) => file.split("/")[0] ?? ""))].filter(
      (name) => !name.startsWith("."),
    );
    expect(visible.sort()).toEqual([
      ...["LICENSE", "Pulumi.dev.yaml", "Pulumi.yaml", "README.md", "biome.json", "components", "index.ts", "nix"],
      ...["package-lock.json", "package.json", "test", "tsconfig.json"],
    ]);
  });

  it("wires the whole program in 80 lines", () => {
    expect(fs.readFileSync("index.ts", "utf8").split("\n").length - 1).toBeLessThanOrEqual(80);
  });

  it.each(rooms)(
    "says in components/%s/README.md what belongs there, and in components/README.md what it may use",
    (room) => {
      expect(fs.readFileSync(`components/${room}/README.md`, "utf8")).toMatch(/^# \S+\n\n\S.+/);
      expect(fs.readFileSync("components/README.md", "utf8")).toContain(`[${room}](${room}/)`);
    },
  );

  it("has a test of a component at the component's own path", () => {
    const tests = tracked.filter((file) => /^test\/components\/.+\.test\.ts$/.test(file));
    const homeless = tests.filter((file) => {
      const home = path.dirname(file).replace(/^test\//, "");
      return !fs.existsSync(home);
    });
    expect(homeless).toEqual([]);
  });

  it("names each program in the table that a command resource runs", () => {
    const programs: Record<string, string> = JSON.parse(fs.readFileSync("components/start/programs.json", "utf8"));
    for (const file of Object.values(programs)) expect(tracked).toContain(file);
  });
});
