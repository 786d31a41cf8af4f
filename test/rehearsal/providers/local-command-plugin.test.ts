import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { credentials } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { struct, unstruct } from "loopback-azure/provider/grpc-messages";
import { serveProvider } from "loopback-azure/provider/grpc-server";
import { containsUnknown, type PropertyMap, secret, UNKNOWN } from "loopback-azure/provider/values";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { skippedFor } from "../engine/tools";
import { localCommand } from "./local-command";

const skipped = skippedFor("pulumi-resource-command");
const type = "command:local:Command";
const urn = `urn:pulumi:dev::demo::${type}::it`;

/** One call as a promise: its answer, or its error's text. */
function call<A>(start: (done: (error: Error | null, answer: A) => void) => unknown): Promise<A> {
  return new Promise((resolve, reject) => start((error, answer) => (error ? reject(error) : resolve(answer))));
}

type Client = ResourceProviderClient;

async function configure(client: Client): Promise<void> {
  const request = new messages.ConfigureRequest();
  request.setArgs(struct({}));
  request.setAcceptsecrets(true);
  request.setAcceptresources(true);
  await call<messages.ConfigureResponse>((done) => client.configure(request, done));
}

async function create(client: Client, inputs: PropertyMap, preview: boolean): Promise<PropertyMap> {
  const request = new messages.CreateRequest();
  request.setUrn(urn);
  request.setType(type);
  request.setName("it");
  request.setProperties(struct(inputs));
  request.setPreview(preview);
  return unstruct((await call<messages.CreateResponse>((done) => client.create(request, done))).getProperties());
}

async function update(client: Client, olds: PropertyMap, news: PropertyMap, preview: boolean): Promise<PropertyMap> {
  const request = new messages.UpdateRequest();
  request.setId("it1");
  request.setUrn(urn);
  request.setType(type);
  request.setName("it");
  request.setOlds(struct({ ...olds, stdout: "before", stderr: "" }));
  request.setOldInputs(struct(olds));
  request.setNews(struct(news));
  request.setPreview(preview);
  return unstruct((await call<messages.UpdateResponse>((done) => client.update(request, done))).getProperties());
}

async function diff(client: Client, olds: PropertyMap, news: PropertyMap) {
  const request = new messages.DiffRequest();
  request.setId("it1");
  request.setUrn(urn);
  request.setType(type);
  request.setOlds(struct({ ...olds, stdout: "", stderr: "" }));
  request.setOldInputs(struct(olds));
  request.setNews(struct(news));
  const answer = await call<messages.DiffResponse>((done) => client.diff(request, done));
  const detailed = answer
    .getDetaileddiffMap()
    .toArray()
    .map(([at, change]) => [at, change.getKind()]);
  return { changes: answer.getChanges(), detailed: detailed.sort() };
}

/** Asks both the same. */
describe.skipIf(skipped)(`our command provider beside the released plugin${skipped}`, () => {
  let plugin: ChildProcess;
  let folder = "";
  const clients: Client[] = [];
  let close: () => Promise<void>;

  beforeAll(async () => {
    folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "plugin-")));
    plugin = spawn("pulumi-resource-command", [], { cwd: folder, stdio: ["ignore", "pipe", "ignore"] });
    const port = await new Promise<string>((resolve) =>
      plugin.stdout?.once("data", (text) => resolve(String(text).trim())),
    );
    const ours = await serveProvider(localCommand({ folder }));
    close = ours.close;
    for (const one of [port, ours.port])
      clients.push(new ResourceProviderClient(`127.0.0.1:${one}`, credentials.createInsecure()));
    for (const client of clients) await configure(client);
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    plugin.kill("SIGKILL");
    await close();
    fs.rmSync(folder, { recursive: true });
  });

  async function same<T>(ask: (client: Client) => Promise<T>): Promise<void> {
    const answers = clients.map((client) =>
      ask(client).catch((error: { details?: string }) => `error: ${error.details}`),
    );
    const [theirs, ours] = await Promise.all(answers);
    expect(ours).toEqual(theirs);
  }

  it.each([
    { create: "echo a; echo; echo err >&2" },
    { create: "pwd -P; echo $A", environment: { A: "1" } },
    { create: "pwd", dir: "/" },
    { create: "cat", stdin: "in" },
    { create: "echo $1 $0", interpreter: ["/bin/sh", "-c"] },
    { create: "echo out; echo err >&2; exit 3" },
    { delete: "true" },
    { create: "echo $A", environment: secret({ A: "1" }) },
    { create: "echo $A", environment: { A: secret("1") } },
    { create: "true", triggers: [1, "b"], logging: "stderr", addPreviousOutputInEnv: false },
  ] as PropertyMap[])("creates %j", async (inputs) => {
    await same((client) => create(client, inputs, false));
  });

  it.each([
    { create: "echo a" },
    { create: "echo a", environment: { A: UNKNOWN } },
    { create: "echo a", environment: { A: secret("1") } },
  ] as PropertyMap[])("previews the creation of %j", async (inputs) => {
    await same((client) => create(client, inputs, true));
  });

  const updates: [PropertyMap, PropertyMap][] = [
    [{ create: "echo a" }, { create: 'echo "$PULUMI_COMMAND_STDOUT."' }],
    [{ create: "echo a" }, { create: "echo a", update: "echo u" }],
    [{ create: "echo a" }, { delete: "true" }],
    [{ create: "echo a" }, { create: "echo a", environment: { A: "1" } }],
    [
      { create: "echo a", environment: { A: "1" } },
      { create: "echo a", environment: { A: "1", B: "2" } },
    ],
    [{ create: "echo a", environment: { A: "1" } }, { create: "echo a" }],
    [
      { create: "echo a", environment: { A: "1" } },
      { create: "echo a", environment: { A: UNKNOWN } },
    ],
    [{ create: "echo a" }, { create: 'echo "$PULUMI_COMMAND_STDOUT."', addPreviousOutputInEnv: false }],
  ];
  it.each(updates)("updates %j to %j", async (olds, news) => {
    if (!containsUnknown(news)) await same((client) => update(client, olds, news, false));
    await same((client) => update(client, olds, news, true));
  });

  const diffs: [PropertyMap, PropertyMap][] = [
    [{ create: "a" }, { create: "a" }],
    [{ create: "a" }, { create: "b" }],
    [
      { create: "a", environment: { A: "1", B: "1" } },
      { create: "a", environment: { A: "2", C: "1" } },
    ],
    [{ create: "a" }, { create: "a", update: "b" }],
    [
      { create: "a", triggers: [1] },
      { create: "a", triggers: [2] },
    ],
    [
      { create: "a", environment: { A: "1" } },
      { create: "a", environment: { A: UNKNOWN } },
    ],
  ];
  it.each(diffs)("compares %j and %j", async (olds, news) => {
    await same((client) => diff(client, olds, news));
  });
});
