import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";

/** Starts a program as if by another Node. */
function startAs(node: string, ...argv: string[]) {
  const versions = JSON.stringify({ ...process.versions, node });
  const pretend = `Object.defineProperty(process, "versions", { value: ${versions} })`;
  const dataUrl = `data:text/javascript,${encodeURIComponent(pretend)}`;
  return spawnSync(process.execPath, ["--import", dataUrl, ...argv], { encoding: "utf8" });
}

describe.each([
  ["npm run status -- --help", ["components/start/run.mjs", "status", "--help"]],
  ["what Pulumi starts", ["components/start/program.cjs"]],
  ["npm test", ["test/run.mjs", "--version"]],
])("%s", (_, argv) => {
  it.each(["18.20.8", "20.9.0", "20.18.3"])("refuses Node %s in one line", (node) => {
    const said = "22 is what Pulumi's SDK asks for, 20.19 the least that works";
    expect(startAs(node, ...argv)).toMatchObject({
      status: 1,
      stderr: `Node ${node} is too old, ${said}: type nvm install 22, or see https://nodejs.org/download\n`,
    });
  });
});

it("Node 20.19 and later are taken", () => {
  for (const node of ["20.19.0", "22.0.0", "26.1.0"]) {
    expect(startAs(node, "components/start/run.mjs", "status", "--help")).toMatchObject({ status: 0, stderr: "" });
  }
});

it("a program that is not there is one line, too", () => {
  expect(startAs(process.versions.node, "components/start/run.mjs", "staus")).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^there is no program staus: await-machine, .+, vanity-worker\n$/),
  });
});
