import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { credentials } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { build as bundle } from "esbuild";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runScript } from "../child";
import { ask, type Reply, via } from "../client";
import { generateRsaPem } from "../entra/rsa-key";
import { createAuthorityPair, createCertificateAuthority } from "../gateway/certificate-authority";
import { MalformedConfig, parseServeConfig } from "./serve-config";
import { configuredResources } from "./serve-resources";

const hasProc = fs.existsSync("/proc/self/task");

// Beside the package's own files, where its dependencies are found; a name of its own, as runs go side by side.
const build = fs.mkdtempSync(path.join(__dirname, "..", ".serve-test-"));
const program = path.join(build, "serve.cjs");

beforeAll(async () => {
  await bundle({
    entryPoints: [path.join(__dirname, "serve.ts")],
    outfile: program,
    bundle: true,
    platform: "node",
    target: "node20",
    packages: "external",
    logLevel: "error",
  });
});
afterAll(() => fs.rmSync(build, { recursive: true, force: true }));

let folder: string;
let children: ChildProcess[];

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "azure-serve-"));
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  fs.rmSync(folder, { recursive: true, force: true });
});

function childrenOf(pid: number): number[] {
  const text = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.split(" ").filter(Boolean).map(Number);
}

/** A process that has ended and that nobody has asked about yet still has an entry, in state Z. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

interface Served {
  child: ChildProcess;
  /** Waits for the next JSON line on stdout. */
  line(): Promise<Told>;
  errors(): string;
  exit: Promise<number | null>;
}

interface Told {
  event: string;
  certificate: string;
  keyUrls: Record<string, string>;
  workstation: { proxy: string; environment: Record<string, string> };
  machines: Record<string, { proxy: string; tls?: string; metadata?: string; environment: Record<string, string> }>;
}

function write(config: object): string {
  const file = path.join(folder, "azure.json");
  fs.writeFileSync(file, JSON.stringify(config));
  return file;
}

function serve(...args: string[]): Served {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, TMPDIR: folder },
  });
  children.push(child);
  const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const lines: string[] = [];
  let errors = "";
  let rest = "";
  child.stdout.on("data", (chunk: Buffer) => {
    const parts = (rest + chunk.toString("utf8")).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString("utf8");
  });
  return {
    child,
    exit,
    errors: () => errors,
    async line() {
      await expect.poll(() => lines.length, { timeout: 30_000 }).toBeGreaterThan(0);
      return JSON.parse(lines.shift() ?? "") as Told;
    },
  };
}

const DEMO = {
  vaults: {
    "kv-demo": { keys: { seal: { keySize: 2048 } }, access: { workstation: ["encrypt"], guest: ["decrypt"] } },
  },
  identities: { guest: {}, other: {} },
  machines: { web: { identities: ["guest"], listen: { metadata: "127.0.0.1:0", tls: "127.0.0.1:0" } } },
  log: true,
};

async function metadataToken(told: Told): Promise<string> {
  const url =
    "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net";
  const reply = await ask(via(told.machines.web?.environment ?? {}), url, { headers: { metadata: "true" } });
  return String(reply.at("access_token"));
}

/** `verb` on the demo vault's key as the machine. */
async function asMachine(told: Told, verb: string, keyUrl = told.keyUrls["kv-demo/seal"]): Promise<Reply> {
  const headers = { authorization: `Bearer ${await metadataToken(told)}`, "content-type": "application/json" };
  const body = JSON.stringify({ alg: "RSA-OAEP-256", value: "AAAA" });
  return ask(via(told.machines.web?.environment ?? {}), `${keyUrl}/${verb}?api-version=7.6`, {
    method: "POST",
    headers,
    body,
  });
}

describe("the stand-alone program", () => {
  it("serves a vault, an identity and a machine, and ends with nothing left", async () => {
    const served = serve("--config", write(DEMO));
    const told = await served.line();
    expect(told.event).toBe("listening");
    expect(told.keyUrls["kv-demo/seal"]).toMatch(/^https:\/\/kv-demo\.vault\.azure\.net\/keys\/seal\/[0-9a-f]{32}$/);
    expect(told.machines.web?.metadata).toMatch(/^127\.0\.0\.1:\d+$/);
    expect((await asMachine(told, "encrypt")).at("error.innererror.code")).toBe("AccessDenied");
    expect((await asMachine(told, "decrypt")).at("error.code")).toBe("BadParameter");
    expect(served.errors()).toContain('"code":"AccessDenied"');
    served.child.kill("SIGTERM");
    expect(await served.exit).toBe(0);
    expect(fs.readdirSync(folder)).toEqual(["azure.json"]);
  });

  it("reads the file again when asked: policies, roles, keys, faults", async () => {
    const served = serve("--config", write(DEMO));
    const told = await served.line();
    const vault = DEMO.vaults["kv-demo"];
    const denied = { ...vault, access: { workstation: ["encrypt"] } };
    write({ ...DEMO, vaults: { "kv-demo": denied } });
    served.child.kill("SIGHUP");
    expect((await served.line()).event).toBe("reloaded");
    expect((await asMachine(told, "decrypt")).status).toBe(403);
    write({ ...DEMO, vaults: { "kv-demo": { ...vault, authorization: "rbac" } } });
    served.child.kill("SIGHUP");
    const again = await served.line();
    expect(again.keyUrls).toEqual(told.keyUrls);
    expect([(await asMachine(told, "decrypt")).status, (await asMachine(told, "encrypt")).status]).toEqual([400, 403]);
    fs.writeFileSync(path.join(folder, "azure.json"), "{");
    served.child.kill("SIGHUP");
    await expect.poll(() => served.errors()).toContain("the configuration was not read again: ");
    expect((await asMachine(told, "decrypt")).status).toBe(400);
  });

  it("uses the authority, principal and key that it is given", async () => {
    const key = await generateRsaPem(2048);
    const pair = await createAuthorityPair();
    const file = (name: string, content: string | Buffer) => {
      fs.writeFileSync(path.join(folder, name), content);
      return path.join(folder, name);
    };
    const privateKey = file("key.pem", key);
    const authorityKey = file("authority-key.pem", pair.privateKeyPem);
    const directory = path.join(folder, "kept");
    fs.mkdirSync(directory);
    const version = "0123456789abcdef0123456789abcdef";
    const vaults = { "kv-demo": { keys: { seal: { privateKey, version } }, access: { workstation: ["get"] } } };
    const authority = { certificate: file("authority.pem", pair.certificatePem), privateKey: authorityKey };
    const workstation = { clientId: "44444444-4444-4444-8444-444444444444", clientSecret: "throw-away" };
    const served = serve("--config", write({ vaults, authority, workstation, directory }));
    const told = await served.line();
    expect(told.keyUrls).toEqual({ "kv-demo/seal": `https://kv-demo.vault.azure.net/keys/seal/${version}` });
    expect(fs.readFileSync(told.certificate, "utf8")).toBe(pair.certificatePem);
    expect(told.workstation.environment).toMatchObject({
      AZURE_CLIENT_ID: workstation.clientId,
      AZURE_CLIENT_SECRET: "throw-away",
    });
    served.child.kill("SIGINT");
    expect(await served.exit).toBe(0);
    expect(fs.existsSync(directory)).toBe(true);
  });

  it.skipIf(!hasProc)(
    `takes Azurite along even when it is killed${hasProc ? "" : " (skipped: needs /proc)"}`,
    async () => {
      const access = { workstation: "Storage Blob Data Contributor" };
      const served = serve("--config", write({ storageAccounts: { served1: { containers: ["images"], access } } }));
      const { environment } = (await served.line()).workstation;
      const script = `
      const { EnvironmentCredential } = require("@azure/identity");
      const { BlobServiceClient } = require("@azure/storage-blob");
      const service = new BlobServiceClient("https://served1.blob.core.windows.net", new EnvironmentCredential());
      await service.getContainerClient("images").getBlockBlobClient("x").upload("hello", 5);
    `;
      await runScript(script, environment);
      const [azurite = 0, ...more] = childrenOf(served.child.pid ?? 0);
      expect([azurite > 0, more]).toEqual([true, []]);
      served.child.kill("SIGKILL");
      await expect.poll(() => isRunning(azurite)).toBe(false);
    },
  );

  it("refuses an authority whose key is another's", async () => {
    const [{ certificatePem }, { privateKeyPem }] = await Promise.all([createAuthorityPair(), createAuthorityPair()]);
    await expect(createCertificateAuthority(folder, { certificatePem, privateKeyPem })).rejects.toThrow(
      "the authority's private key is not the one of its certificate",
    );
  });

  it("says how to start it, and what is wrong with the file", async () => {
    const bare = serve();
    expect([await bare.exit, bare.errors()]).toEqual([2, "which configuration? type: loopback-azure --config FILE\n"]);
    const wrong = serve("--config", write({ vaults: { kv: {} } }));
    expect([await wrong.exit, wrong.errors()]).toEqual([
      1,
      'config.vaults.kv must be named by 3 to 24 letters, digits and hyphens, got "kv": correct it in the file\n',
    ]);
  });
});

it("lets Pulumi's engine attach to a provider over the same cloud", async () => {
  const served = serve("--config", write({ ...DEMO, pulumi: true }));
  const { workstation } = await served.line();
  const [, port = ""] = /^azure-native:(\d+)$/.exec(workstation.environment.PULUMI_DEBUG_PROVIDERS ?? "") ?? [];
  const client = new ResourceProviderClient(`127.0.0.1:${port}`, credentials.createInsecure());
  const name = await new Promise<string>((resolve, reject) =>
    client.getPluginInfo(new Empty(), (error, info) => (error ? reject(error) : resolve(info.getVersion()))),
  );
  client.close();
  expect(name).toMatch(/^\d+\.\d+\.\d+/);
});

describe("its configuration", () => {
  function problems(value: unknown): readonly string[] {
    try {
      parseServeConfig(value);
      return [];
    } catch (error) {
      if (error instanceof MalformedConfig) return error.problems;
      throw error;
    }
  }

  it.each<[value: unknown, problem: string]>([
    [[], "config must be an object, got []: correct it in the file"],
    [{ vault: {} }, 'config has an unknown key "vault": correct it in the file'],
    [{ tenantId: "x" }, 'config.tenantId must be a GUID, got "x": correct it in the file'],
    [{ log: "yes" }, 'config.log must be true or false, got "yes": correct it in the file'],
    [
      { workstation: { proxy: "localhost:1" } },
      'config.workstation.proxy must be an IP address and a port as 127.0.0.1:0, got "localhost:1": correct it in the file',
    ],
    [
      { workstation: { proxy: "127.0.0.1:70000" } },
      'config.workstation.proxy must be an IP address and a port as 127.0.0.1:0, got "127.0.0.1:70000": correct it in the file',
    ],
    [
      { vaults: { "kv-x": { authorization: "both" } } },
      'config.vaults.kv-x.authorization must be one of accessPolicy, rbac, got "both": correct it in the file',
    ],
    [
      { vaults: { "kv-x": { keys: { k: { keySize: 1024 } } } } },
      "config.vaults.kv-x.keys.k.keySize must be 2048, 3072 or 4096, got 1024: correct it in the file",
    ],
    [
      { vaults: { "kv-x": { keys: { k: { operations: ["seal"] } } } } },
      'config.vaults.kv-x.keys.k.operations[0] must be one of encrypt, decrypt, sign, verify, wrapKey, unwrapKey, got "seal": correct it in the file',
    ],
    [
      { vaults: { "kv-x": { keys: { k: { version: "1" } } } } },
      'config.vaults.kv-x.keys.k.version must be 32 hex digits, got "1": correct it in the file',
    ],
    [
      { vaults: { "kv-x": { access: { guest: [] } } } },
      'vaults.kv-x.access names "guest", declared are workstation: declare it under identities',
    ],
    [
      { storageAccounts: { Big: {} } },
      'config.storageAccounts.Big must be named by 3 to 24 lower-case letters and digits, got "Big": correct it in the file',
    ],
    [
      { machines: { web: { identities: ["guest"] } } },
      'machines.web.identities names "guest", declared are none: declare it under identities',
    ],
    [
      { machines: { web: { provisioningTimeoutSeconds: 0 } } },
      "config.machines.web.provisioningTimeoutSeconds must be a number above 0, got 0: correct it in the file",
    ],
    [
      { resources: [{ id: "x", type: "a/b", name: "n" }] },
      'config.resources[0].id must be a resource id that begins with /, got "x": correct it in the file',
    ],
    [
      { faults: [{ effect: { kind: "explode" } }] },
      'config.faults[0].effect.kind must be one of answer, reset, loseAnswer, delay, hang, unreachable, got "explode": correct it in the file',
    ],
  ])("is refused: %j", (value, problem) => {
    expect(problems(value)).toEqual([problem]);
  });

  it("has an example that is one", () => {
    expect(problems(JSON.parse(fs.readFileSync(path.join(__dirname, "..", "example.json"), "utf8")))).toEqual([]);
  });

  it("has the same ids each time", () => {
    const config = parseServeConfig({
      ...DEMO,
      storageAccounts: { acc1: { containers: ["images"], access: { workstation: "Storage Blob Data Contributor" } } },
    });
    const around = { tenantId: "t", subscriptionId: "s", workstation: "w" };
    expect(configuredResources(config, around).resources).toEqual(configuredResources(config, around).resources);
    expect(configuredResources(config, around).resources.map(({ type }) => type)).toEqual([
      "Microsoft.Resources/resourceGroups",
      "Microsoft.ManagedIdentity/userAssignedIdentities",
      "Microsoft.ManagedIdentity/userAssignedIdentities",
      "Microsoft.KeyVault/vaults",
      "Microsoft.Storage/storageAccounts",
      "Microsoft.Storage/storageAccounts/blobServices/containers",
      "Microsoft.Authorization/roleAssignments",
      "Microsoft.Compute/virtualMachines",
    ]);
  });

  it("names only roles that exist", () => {
    const config = parseServeConfig({ storageAccounts: { acc1: { access: { workstation: "Blob King" } } } });
    expect(() => configuredResources(config, { tenantId: "t", subscriptionId: "s", workstation: "w" })).toThrow(
      'storageAccounts.acc1.access names the role "Blob King", which is not built in',
    );
  });
});
