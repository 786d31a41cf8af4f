import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";

/** In a process of its own: what is loaded there is asked. @param words what is printed, as JSON */
function inProcess(words: string, isLazy = true): unknown {
  const program = `
    ${isLazy ? 'require("./components/start/lazy-sdk.cjs").loadSeldom();' : ""}
    const pulumi = require("@pulumi/pulumi");
    const files = (part) => Object.keys(require.cache).filter((file) => file.includes(part)).length;
    (async () => console.log(JSON.stringify(await (${words})())))();`;
  return JSON.parse(execFileSync(process.execPath, ["-e", program], { encoding: "utf8" }));
}

const parts = '["/pulumi/automation/", "/arborist/", "/typescript/", "/pulumi/vendor/"]';

it("a program loads Pulumi's SDK without its Automation API, TypeScript's compiler and npm's resolver", () => {
  const loaded = inProcess(`() => ${parts}.map(files)`) as number[];
  expect(loaded).toEqual([1, 1, 0, 0]); // what stands for the first two
  expect((inProcess(`() => ${parts}.map(files)`, false) as number[])[0]).toBeGreaterThan(5); // else this test is of nothing
});

it.each([
  ["all names of the Automation API", "() => Object.keys(pulumi.automation).sort()"],
  ["a class of it", "() => [pulumi.automation.LocalWorkspace.name, 'LocalWorkspace' in pulumi.automation]"],
  ["all names of the SDK", "() => [Object.keys(pulumi), Object.keys(pulumi.runtime)].flat().sort()"],
  ["a function that is serialized", "async () => (await pulumi.runtime.serializeFunction(() => 6 * 7)).text"],
  ["npm's resolver", "() => [require('@npmcli/arborist').Arborist.name, require('@npmcli/arborist').default?.name]"],
])("%s: as without it", { timeout: 60_000 }, (_what, words) => {
  const found = inProcess(words);
  expect(JSON.stringify(found).length).toBeGreaterThan(10);
  expect(found).toEqual(inProcess(words, false));
});
