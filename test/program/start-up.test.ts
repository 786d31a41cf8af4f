import { buildSync } from "esbuild";
import { expect, it } from "vitest";
import programs from "../../components/start/programs.json";

const bundled = (program: string) =>
  buildSync({
    entryPoints: [program],
    outfile: "never-written.cjs",
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    format: "cjs",
    packages: "external",
  });

/** What a program loads from packages before its first line runs, with its own files resolved. */
function loadedAtOnce(program: string): string[] {
  const { metafile } = bundled(program);
  const seen = new Set([program]);
  const packages = new Set<string>();
  for (const file of seen) {
    for (const { kind, path, external } of metafile.inputs[file]?.imports ?? []) {
      if (kind === "dynamic-import" || path.startsWith("node:")) continue;
      (external ? packages : seen).add(path);
    }
  }
  return [...packages].sort();
}

it("the program loads Pulumi and single resources, never a whole provider or what only commands use", () => {
  const loaded = loadedAtOnce("index.ts");
  expect(loaded).toContain("@pulumi/azure-native/keyvault/vault");
  const single = /^@pulumi\/(azure-native|command|random|vault)(\/[a-z]+)?\/[a-zA-Z]+$/;
  const wholeModules = ["@pulumi/azure-native/", "@pulumi/command/"].map((name) => new RegExp(`^${name}[a-z]+$`));
  // Recipients and addresses are checked before anything is made: the package that reads their letters is 5 ms.
  const small = ["@pulumi/pulumi", "@scure/base"];
  expect(loaded.filter((name) => !small.includes(name) && !single.test(name))).toEqual([]);
  expect(loaded.filter((name) => wholeModules.some((whole) => whole.test(name)))).toEqual([]);
});

it("seal, which each secret of an up starts, is no more than what asks the helper", () => {
  const { metafile, outputFiles } = bundled(programs.seal);
  const own = Object.keys(metafile.inputs);
  expect(
    own.filter((file) => !/^components\/(secrets\/(seal\/seal|helper)|azure\/session|process)/.test(file)),
  ).toEqual([]);
  expect(outputFiles[0]?.contents.length).toBeLessThan(20_000);
});

const programNames = Object.keys(programs) as (keyof typeof programs)[];
it.each(programNames)("%s loads neither Azure's clients nor Pulumi's SDK at once", (program) => {
  expect(loadedAtOnce(programs[program]).filter((name) => /^@(azure|pulumi)\//.test(name))).toEqual([]);
});

it.each(["seal", "build-image", "upload-image", "prune-images", "status"] as const)(
  "%s loads no package at once",
  (program) => {
    expect(loadedAtOnce(programs[program])).toEqual([]);
  },
);
