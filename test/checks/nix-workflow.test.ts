import * as fs from "node:fs";
import * as path from "node:path";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

const workflow = parse(fs.readFileSync(path.join(".github", "workflows", "nix.yml"), "utf8"));

/** As GitHub reads a path filter, as far as this workflow uses its patterns. */
function matches(pattern: string, file: string): boolean {
  const source = pattern
    .replaceAll(/[.+^$()|[\]{}\\]/g, "\\$&")
    .replace("**", "\0")
    .replace("*", "[^/]*");
  return new RegExp(`^${source.replace("\0", ".*")}$`).test(file);
}

/** What a program is made of, less what npm installs. */
async function sourcesOf(entry: string): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    platform: "node",
    packages: "external",
    write: false,
    metafile: true,
    logLevel: "error",
  });
  return Object.keys(metafile.inputs);
}

describe("the workflow that boots the guest", () => {
  it("boots every machine that there is a test of", () => {
    const tests = fs.readFileSync(path.join("nix", "tests", "default.nix"), "utf8");
    const named = [...tests.matchAll(/^ {2}vm-([\w-]+) = test \.\/([\w-]+)\.nix;$/gm)];
    expect(named.map(([, name]) => name)).toEqual(workflow.jobs.machines.strategy.matrix.module);
    for (const [, name, file] of named) expect(file).toBe(name);
  });

  it("has a test of every module, with its name", () => {
    const modules = fs.readdirSync(path.join("nix", "modules")).filter((name) => name.endsWith(".nix"));
    const tests = fs.readdirSync(path.join("nix", "tests"));
    expect(modules.filter((name) => !tests.includes(name))).toEqual([]);
  });

  it.each(["push", "pull_request"])("runs on a %s that changes any of its programs", async (event) => {
    const { paths } = workflow.on[event] as { paths: string[] };
    const entries = ["test/checks/nix.ts", "test/bench/image-size.ts", "test/azure/serve/serve.ts"];
    const sources = await Promise.all(entries.map(sourcesOf));
    const files = [...new Set(sources.flat()), "package.json", "package-lock.json", "nix/tests/nowhere.py"];
    expect(files.filter((file) => !paths.some((pattern) => matches(pattern, file)))).toEqual([]);
  });
});
