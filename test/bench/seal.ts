import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { startAzure } from "loopback-azure/azure";
import { stringify } from "yaml";
import { stackFolder } from "../../components/config/stack-folder";
import { requireTools } from "../rehearsal/setup";
import { median } from "./median";
import { type SealBench, type SealWays, sealWays } from "./seal/ways";

/**
 * Seals 100 secrets from files with `npm run secrets -- reseal --all` and as `pulumi up` does it, a command a secret with
 * one helper behind them all, beside plain `sops encrypt` of the same 100 files, one process for each processor. All
 * through the Key Vault of the loopback Azure, in turns, so that whatever else the machine does meets all. Then 12
 * secrets with a login that takes 2 s.
 *
 *   npm run bench:seal              a few lines for people
 *   npm run bench:seal -- --json    and a last line of JSON
 */
const secrets = 100;
const few = 12;
const loginMs = 2_000;
const stack = "bench";
const rounds = 3;

/** Milliseconds for all secrets of a round, and calls to the vault. */
interface Measured {
  readonly sops: number[];
  readonly sopsAndNode: number[];
  readonly reseal: number[];
  readonly up: number[];
  readonly sopsFew: number[];
  /** With a login of `loginMs`, which is in it. */
  readonly upFew: number[];
  vaultCallsUnchanged: number;
}

async function main(): Promise<void> {
  await requireTools(["sops"], (line) => console.error(line));
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "bench-seal-"));
  const bench = await prepare(directory);
  try {
    report(await measure(bench, sealWays(bench)));
  } finally {
    await bench.azure.close();
    fs.rmSync(directory, { recursive: true });
  }
}

async function prepare(directory: string): Promise<SealBench> {
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
  return { azure, folder, keyUrl, stack };
}

function writeProject(folder: string, keyUrl: string): void {
  fs.symlinkSync(path.resolve("components"), path.join(folder, "components")); // the helper is started there
  const files = Array.from({ length: secrets }, (_, index) => `secret-${index}`);
  for (const file of files) fs.writeFileSync(path.join(folder, file), randomBytes(96), { mode: 0o600 });
  const declarations = Object.fromEntries(files.map((file) => [file, { source: { file } }]));
  const config = { "sealed-onion:secrets": declarations };
  fs.writeFileSync(path.join(folder, `Pulumi.${stack}.yaml`), stringify({ config }));
  writeFacts(folder, keyUrl);
}

function writeFacts(folder: string, keyUrl: string): void {
  const facts = path.join(folder, stackFolder(stack), "facts.json");
  fs.mkdirSync(path.dirname(facts), { recursive: true });
  fs.writeFileSync(facts, JSON.stringify({ vault: { keyUrl } }));
}

async function measure({ azure, folder, keyUrl }: SealBench, ways: SealWays): Promise<Measured> {
  const all = Array.from({ length: secrets }, (_, index) => index);
  const some = all.slice(0, few);
  const total: Measured = {
    sops: [],
    sopsAndNode: [],
    reseal: [],
    up: [],
    sopsFew: [],
    upFew: [],
    vaultCallsUnchanged: 0,
  };
  const unsealed = () => {
    fs.rmSync(path.join(folder, stackFolder(stack)), { recursive: true });
    writeFacts(folder, keyUrl);
  };
  await ways.reseal(); // makes the bundles, which stay
  await ways.up([0]);
  for (let round = 0; round < rounds; round++) {
    total.sops.push(await timed(() => ways.sops(all)));
    total.sopsAndNode.push(await timed(() => ways.sopsAndNode(all)));
    total.reseal.push(await timed(() => ways.reseal()));
    unsealed();
    total.up.push(await timed(() => ways.up(all)));
    unsealed();
    total.sopsFew.push(await timed(() => ways.sops(some)));
    const slow = azure.faults.add({ path: /oauth2\/v2.0\/token/, effect: { kind: "delay", milliseconds: loginMs } });
    total.upFew.push(await timed(() => ways.up(some)));
    slow.remove();
  }
  azure.requests.clear();
  await ways.up(some);
  total.vaultCallsUnchanged = azure.requests.entries.length;
  return total;
}

async function timed(run: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

function report({ reseal, sops, sopsAndNode, sopsFew, up, upFew, vaultCallsUnchanged }: Measured): void {
  const ratio = (ours: readonly number[], theirs: readonly number[], without = 0) =>
    rounded(median(ours.map((time, round) => (time - without) / (theirs[round] ?? Number.NaN))));
  const line = (what: string, times: readonly number[], than: string) =>
    console.log(`${what.padEnd(40)} ${(median(times) / 1000).toFixed(1)} s${than}`);
  const result = {
    secrets,
    ratioToSops: ratio(reseal, sops),
    vaultCallsUnchanged,
    ratioOfProgramsToSops: ratio(up, sops),
    ratioOfProgramsToSopsAndNode: ratio(up, sopsAndNode),
    ratioOfFewBesideLogin: ratio(upFew, sopsFew, loginMs),
  };
  console.log(`${secrets} secrets, ${os.availableParallelism()} at a time`);
  line("sops alone", sops, "");
  line("sops, and an empty program of Node each", sopsAndNode, "");
  line("npm run secrets -- reseal --all", reseal, `, ${result.ratioToSops} times sops alone`);
  line(
    "a command a secret, as pulumi up",
    up,
    `, ${result.ratioOfProgramsToSops} times sops alone, ${result.ratioOfProgramsToSopsAndNode} times with Node`,
  );
  line(`${few} by sops alone`, sopsFew, "");
  line(
    `${few} as pulumi up, with a login of 2 s`,
    upFew,
    `, less the login ${result.ratioOfFewBesideLogin} times sops`,
  );
  console.log(`sealed again unchanged: ${vaultCallsUnchanged} calls to the vault`);
  if (process.argv.includes("--json")) console.log(JSON.stringify(result));
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

main().catch((error: unknown) => {
  console.error((error as Error).message);
  process.exitCode = 1;
});
