import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type LoopbackAzure, startAzure } from "loopback-azure/azure";
import { stringify } from "yaml";
import { stackFolder } from "../../components/config/stack-folder";
import { atOnce } from "../../components/process/at-once";
import { requireTools } from "../rehearsal/setup";

/**
 * Seals 100 secrets from files with `npm run secrets -- reseal --all`, beside plain `sops encrypt` of the same 100
 * files, one process for each processor; both through the Key Vault of the loopback Azure, in turns, so that whatever
 * else the machine does meets both. Then once more as `pulumi up` does it, a program a secret: first changed, then
 * unchanged.
 *
 *   npm run bench:seal              a few lines for people
 *   npm run bench:seal -- --json    and a last line of JSON
 */
const secrets = 100;
const stack = "bench";
const rounds = 3;

interface Bench {
  azure: LoopbackAzure;
  keyUrl: string;
  /** The project's folder: one file a secret, and what is sealed. */
  folder: string;
}

async function main(): Promise<void> {
  await requireTools(["sops"], (line) => console.error(line));
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "bench-seal-"));
  const bench = await prepare(directory);
  try {
    report(await measure(bench));
  } finally {
    await bench.azure.close();
    fs.rmSync(directory, { recursive: true });
  }
}

async function prepare(directory: string): Promise<Bench> {
  const folder = path.join(directory, "project");
  fs.mkdirSync(folder);
  const azure = await startAzure({ directory });
  const { objectId, tenantId, subscriptionId } = azure.workstation.principal;
  const id = `/subscriptions/${subscriptionId}/resourceGroups/bench/providers/Microsoft.KeyVault/vaults/bench-vault`;
  const accessPolicies = [{ tenantId, objectId, permissions: { keys: ["get", "encrypt", "decrypt"] } }];
  azure.cloud.put({
    id,
    type: "Microsoft.KeyVault/vaults",
    name: "bench-vault",
    properties: { tenantId, accessPolicies, enableRbacAuthorization: false },
  });
  const { version } = await azure.cloud.keys.create(id, "sealing", { keySize: 3072 });
  const keyUrl = `https://bench-vault.vault.azure.net/keys/sealing/${version}`;
  writeProject(folder, keyUrl);
  return { azure, folder, keyUrl };
}

function writeProject(folder: string, keyUrl: string): void {
  const files = Array.from({ length: secrets }, (_, index) => `secret-${index}`);
  for (const file of files) fs.writeFileSync(path.join(folder, file), randomBytes(96), { mode: 0o600 });
  const declarations = Object.fromEntries(files.map((file) => [file, { source: { file } }]));
  const config = { "sealed-onion:secrets": declarations };
  fs.writeFileSync(path.join(folder, `Pulumi.${stack}.yaml`), stringify({ config }));
  const facts = path.join(folder, stackFolder(stack), "facts.json");
  fs.mkdirSync(path.dirname(facts), { recursive: true });
  fs.writeFileSync(facts, JSON.stringify({ vault: { keyUrl } }));
}

/** Milliseconds for all secrets, and calls to the vault. */
interface Measured {
  ours: number;
  sops: number;
  /** As `pulumi up` does it, node's start-up for each secret included. */
  programEach: number;
  vaultCallsUnchanged: number;
}

async function measure(bench: Bench): Promise<Measured> {
  await sealTogether(bench); // makes the bundles, which stay
  await sealEach(bench, [0]);
  const all = Array.from({ length: secrets }, (_, index) => index);
  const total = { ours: 0, sops: 0 };
  for (let round = 0; round < rounds; round++) {
    total.sops += await timed(() => sealWithSops(bench, all));
    total.ours += await timed(() => sealTogether(bench));
  }
  fs.rmSync(path.join(bench.folder, stackFolder(stack)), { recursive: true });
  const programEach = await timed(() => sealEach(bench, all));
  bench.azure.requests.clear();
  await sealEach(bench, all);
  const vaultCallsUnchanged = bench.azure.requests.entries.length;
  return { ours: total.ours / rounds, sops: total.sops / rounds, programEach, vaultCallsUnchanged };
}

async function timed(run: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

async function sealWithSops({ azure, folder, keyUrl }: Bench, indices: number[]): Promise<void> {
  const types = ["--filename-override", "secret.json", "--input-type", "binary", "--output-type", "json"];
  await atOnce(indices, async (index) => {
    const sealed = path.join(folder, `sops-${index}.json`);
    const argv = ["encrypt", ...types, "--azure-kv", keyUrl, "--output", sealed, `secret-${index}`];
    await run("sops", argv, folder, azure.workstation.env);
  });
}

/** Everything by one program, as after a change of what the sources say. */
function sealTogether({ azure, folder }: Bench): Promise<void> {
  const argv = [path.resolve("components/start/run.mjs"), "secrets", "reseal", "--all", "--stack", stack];
  return run(process.execPath, argv, folder, azure.workstation.env);
}

/** A program a secret. */
async function sealEach({ azure, folder, keyUrl }: Bench, indices: number[]): Promise<void> {
  await atOnce(indices, async (index) => {
    await run(process.execPath, [path.resolve("components/start/run.mjs"), "seal"], folder, {
      ...azure.workstation.env,
      STACK: stack,
      SECRET: `secret-${index}`,
      SOURCE: JSON.stringify({ file: `secret-${index}` }),
      KIND: "",
      GENERATION: "1",
      FROM: "",
      FINGERPRINT: `file:${index}`,
      KEY_URL: keyUrl,
      RECIPIENTS: JSON.stringify({ age: [], pgp: [] }),
      EXPECTED_HOSTNAME: "",
    });
  });
}

function run(program: string, argv: string[], cwd: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const env = { PATH: process.env.PATH, HOME: cwd, ...environment };
  const child = spawn(program, argv, { cwd, env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${path.basename(program)} ended with code ${code}: ${said}`));
    });
  });
}

function report({ ours, sops, programEach, vaultCallsUnchanged }: Measured): void {
  const line = (what: string, total: number) =>
    console.log(`${what.padEnd(34)} ${(total / 1000).toFixed(1)} s, ${round(total / sops)} times sops alone`);
  console.log(`${secrets} secrets, ${os.availableParallelism()} at a time`);
  line("sops alone", sops);
  line("npm run secrets -- reseal --all", ours);
  line("a program a secret, as pulumi up", programEach);
  console.log(`sealed again unchanged: ${vaultCallsUnchanged} calls to the vault`);
  const result = {
    secrets,
    ratioToSops: round(ours / sops),
    vaultCallsUnchanged,
    ratioOfProgramsToSops: round(programEach / sops),
  };
  if (process.argv.includes("--json")) console.log(JSON.stringify(result));
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

main().catch((error: unknown) => {
  console.error((error as Error).message);
  process.exitCode = 1;
});
