import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type LoopbackAzure, startAzure } from "../rehearsal/azure/azure";
import { requireTools } from "../rehearsal/setup";

/**
 * Seals 100 secrets as `pulumi up` does, one `commands/seal.ts` a secret, beside plain `sops encrypt` of the same 100
 * files: one process for each processor, through the Key Vault of the loopback Azure. Both take turns by tens, so
 * that whatever else the machine does meets both.
 *
 *   npm run bench:seal              a line for people
 *   npm run bench:seal -- --json    and a last line of JSON
 */
const secrets = 100;
const turn = 10;

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
    await sealWithUs(bench, [0]); // makes the bundle, which stays
    const { ours, sops } = await race(bench);
    const vaultCallsUnchanged = await countUnchanged(bench);
    report({ secrets, ratioToSops: round(ours / sops), vaultCallsUnchanged }, ours, sops);
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
  for (let index = 0; index < secrets; index++) {
    fs.writeFileSync(path.join(folder, `secret-${index}`), randomBytes(96), { mode: 0o600 });
  }
  return { azure, folder, keyUrl: `https://bench-vault.vault.azure.net/keys/sealing/${version}` };
}

/** @returns milliseconds of each side, all turns together */
async function race(bench: Bench): Promise<{ ours: number; sops: number }> {
  let ours = 0;
  let sops = 0;
  for (let first = 0; first < secrets; first += turn) {
    const indices = Array.from({ length: turn }, (_, offset) => first + offset);
    sops += await timed(() => sealWithSops(bench, indices));
    ours += await timed(() => sealWithUs(bench, indices));
  }
  return { ours, sops };
}

async function timed(run: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

function sealWithSops({ azure, folder, keyUrl }: Bench, indices: number[]): Promise<void> {
  const types = ["--filename-override", "secret.json", "--input-type", "binary", "--output-type", "json"];
  return atOnce(indices, async (index) => {
    const sealed = path.join(folder, `sops-${index}.json`);
    const argv = ["encrypt", ...types, "--azure-kv", keyUrl, "--output", sealed, `secret-${index}`];
    await run("sops", argv, folder, azure.workstation.env);
  });
}

function sealWithUs({ azure, folder, keyUrl }: Bench, indices: number[]): Promise<void> {
  return atOnce(indices, async (index) => {
    await run(process.execPath, [path.resolve("run.mjs"), "commands/seal.ts"], folder, {
      ...azure.workstation.env,
      STACK: "bench",
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

async function countUnchanged(bench: Bench): Promise<number> {
  bench.azure.requests.clear();
  await sealWithUs(
    bench,
    Array.from({ length: secrets }, (_, index) => index),
  );
  return bench.azure.requests.entries.length;
}

/** Does the work on each index, on as many at a time as there are processors. */
async function atOnce(indices: number[], work: (index: number) => Promise<void>): Promise<void> {
  const waiting = indices.values();
  const workers = Array.from({ length: os.availableParallelism() }, async () => {
    for (const index of waiting) await work(index);
  });
  await Promise.all(workers);
}

function run(program: string, argv: string[], cwd: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const env = { PATH: process.env.PATH, HOME: cwd, ...environment };
  const child = spawn(program, argv, { cwd, env, stdio: ["ignore", "ignore", "inherit"] });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${path.basename(program)} ended with code ${code}`));
    });
  });
}

function report(result: Record<string, number>, ours: number, sops: number): void {
  const each = (total: number) => `${Math.round(total / secrets)} ms`;
  console.log(
    `${secrets} secrets, ${os.availableParallelism()} at a time: ours ${each(ours)} each, sops alone ${each(sops)} each ` +
      `(${result.ratioToSops} times); sealed again unchanged: ${result.vaultCallsUnchanged} calls to the vault`,
  );
  if (process.argv.includes("--json")) console.log(JSON.stringify(result));
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

main().catch((error: unknown) => {
  console.error((error as Error).message);
  process.exitCode = 1;
});
