import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import * as os from "node:os";
import * as path from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readAsked } from "../../../components/azure/session/asked";
import { sessionLink } from "../../../components/azure/session/session-socket";
import { sharedCommand } from "../../../components/config/project";
import { findOnPath } from "../../../components/process/find-program";

const key = "a2V5IG9mIHRoZSBzdGFjaw==";
const result = '{"path":"nix/stacks/dev/a b.sops.json","digest":"\\\\n"}';
const byNode = `node: seal ${key}\n`;

let folder: string;
let bin: string;
let server: http.Server | undefined;
let asked: { url?: string | undefined; body: string }[];

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "run-sh-"));
  bin = path.join(folder, "bin");
  fs.mkdirSync(path.join(folder, "components", "start"), { recursive: true });
  fs.mkdirSync(bin);
  for (const program of ["sh", "env", "curl", "node"]) link(program);
  fs.copyFileSync("components/start/run.sh", path.join(folder, "components/start/run.sh"));
  const says = 'console.log("node:", process.argv[2], require("fs").readFileSync(0, "utf8"));';
  fs.writeFileSync(
    path.join(folder, "components/start/run.mjs"),
    `import {createRequire} from "node:module";
const require = createRequire(import.meta.url); ${says} process.exit(Number(process.env.NODE_CODE ?? 0));\n`,
  );
  asked = [];
});
afterEach(async () => {
  await new Promise<unknown>((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = undefined;
  fs.rmSync(folder, { recursive: true });
});

function link(program: string): void {
  const file = program === "node" ? process.execPath : findOnPath(program);
  if (file === undefined) throw new Error(`${program} is not on PATH`);
  fs.symlinkSync(file, path.join(bin, program));
}

/** Somebody who answers at the socket of the session. */
async function answer(respond: (response: http.ServerResponse) => void): Promise<void> {
  const socket = path.join(folder, "s");
  const place = path.join(folder, sessionLink("dev"));
  fs.mkdirSync(path.dirname(place), { recursive: true });
  fs.symlinkSync(socket, place);
  const made = http.createServer(async (request, response) => {
    asked.push({ url: request.url, body: await text(request) });
    respond(response);
  });
  server = made;
  await new Promise<void>((resolve) => made.listen(socket, resolve));
}

/** As Pulumi starts it. */
async function run(more: NodeJS.ProcessEnv = {}) {
  const env = { PATH: bin, HOME: folder, STACK: "dev", ...more };
  const child = spawn("/bin/sh", ["-c", sharedCommand("seal")], { cwd: folder, env });
  child.stdin.end(key);
  const code = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

const noCurl = !findOnPath("curl");
describe.skipIf(noCurl)(`a command of an up${noCurl ? " (skipped: needs curl on PATH)" : ""}`, () => {
  it.each([
    ["its result, byte for byte", `result ${result}\n`, { code: 0, stdout: `${result}\n`, stderr: "" }],
    ["what is said on the way", `log  a\\tb \nlog \nresult 1\n`, { code: 0, stdout: "1\n", stderr: " a\\tb \n\n" }],
    ["its failure", "log x: no\nfailed 2\n", { code: 2, stdout: "", stderr: "x: no\n" }],
    ["only what comes before the last line", "result 1\nresult 2\nlog 3\n", { code: 0, stdout: "1\n", stderr: "" }],
  ])("gets from the session %s, without Node", async (_, said, expected) => {
    await answer((response) => response.end(said));
    expect(await run({ NODE_CODE: "9" })).toEqual(expected);
    expect(asked.map(({ url }) => url)).toEqual(["/seal"]);
  });

  it("hands over its standard input and its whole environment, and nothing of its own", async () => {
    await answer((response) => response.end("result 1\n"));
    const told = {
      ODD: "two\nlines='$(x)' é\n",
      EMPTY: "",
      so_key: "of somebody else",
      http_proxy: "http://127.0.0.1:9",
    };
    fs.writeFileSync(path.join(folder, ".curlrc"), "output = /dev/null\n");
    expect(await run(told)).toEqual({ code: 0, stdout: "1\n", stderr: "" });
    const { input, environment = {} } = readAsked(asked[0]?.body ?? "") ?? {};
    expect(input).toBe(key);
    const { so_key: _, ...kept } = told;
    expect(environment).toMatchObject({ PATH: bin, HOME: folder, STACK: "dev", ...kept });
    expect(Object.values(environment).join()).not.toContain(key);
  });

  it.each<[string, (response: http.ServerResponse) => void]>([
    ["nothing", (response) => response.end()],
    ["half a result", (response) => response.end(`result ${result.slice(0, 9)}`)],
    ["a result without its end", (response) => response.end(`result ${result}`)],
    ["half a failure", (response) => response.end("failed 1")],
    ["words, and ends", (response) => response.end("log waiting\n")],
    ["a refusal", (response) => response.writeHead(404).end("no\n")],
    ["half an answer, and dies", (response) => response.write(`result ${result}`, () => response.destroy())],
    ["no answer, and dies", (response) => void response.destroy()],
  ])("is done by Node where the session says %s", async (_, respond) => {
    await answer(respond);
    const { code, stdout } = await run();
    expect({ code, stdout }).toEqual({ code: 0, stdout: byNode });
    expect((await run({ NODE_CODE: "3" })).code).toBe(3);
  });

  it("is done by Node where the session was killed", async () => {
    await answer((response) => response.end("result 1\n"));
    const copy = path.join(folder, "dead");
    fs.renameSync(path.join(folder, "s"), copy); // close() removes only what has its name
    await new Promise((resolve) => server?.close(resolve));
    server = undefined;
    fs.renameSync(copy, path.join(folder, "s"));
    expect(await run()).toEqual({ code: 0, stdout: byNode, stderr: "" });
  });
});

it.each(["curl", "env"])("without %s it is done by Node", async (missing) => {
  fs.rmSync(path.join(bin, missing));
  await answer((response) => response.end(readAsked(asked.at(-1)?.body ?? "") ? "result 1\n" : ""));
  expect(await run()).toEqual({ code: 0, stdout: byNode, stderr: "" });
});

it("without a session, or a stack, it is done by Node", async () => {
  expect(await run()).toEqual({ code: 0, stdout: byNode, stderr: "" });
  expect(await run({ STACK: undefined })).toEqual({ code: 0, stdout: byNode, stderr: "" });
});
