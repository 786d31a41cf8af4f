import * as assert from "node:assert/strict";
import type { FaultRule } from "../azure/faults";
import { type ProviderFault, policyDenial, quotaExceeded } from "../provider/provider-faults";
import { changesOf, type EngineRun, RunFailed } from "./engine";
import { type Stage, writeToken } from "./stage";

/** Something that goes wrong in one step of an update, and what the user reads of it. */
interface Mishap {
  /** In Azure's control plane. */
  provider?: ProviderFault;
  /** At a vault's or account's own address. */
  service?: (host: { vault: string; account: string }) => FaultRule;
  reads: RegExp;
}

/** In the order in which a changed secret goes its way: seal, build and upload, image, machine. */
const mishaps: Mishap[] = [
  {
    service: ({ vault }) => ({
      host: vault,
      path: "/keys/",
      times: 50,
      effect: { kind: "answer", status: 400, code: "BadParameter", message: "Property has invalid value" },
    }),
    reads: /token-seal.*BadParameter/s,
  },
  {
    service: ({ account }) => ({
      host: account,
      times: 200,
      effect: { kind: "answer", status: 403, code: "AccountIsDisabled", message: "The specified account is disabled." },
    }),
    reads: /image-(build|upload).*AccountIsDisabled/s,
  },
  {
    provider: { operation: "create", name: "image-image", error: policyDenial("image", "no-images") },
    reads: /RequestDisallowedByPolicy/,
  },
  {
    provider: { operation: "delete", name: "vm-machine", error: policyDenial("vm-machine", "keep-machines") },
    reads: /keep-machines/,
  },
  {
    provider: { operation: "create", name: "vm-machine", error: quotaExceeded("westeurope", 4) },
    reads: /exceeding approved Total Regional Cores quota/,
  },
];

function hosts({ azure }: Stage) {
  const { cloud } = azure;
  const vault = cloud.list({ type: "Microsoft.KeyVault/vaults" })[0]?.name;
  const account = cloud.list({ type: "Microsoft.Storage/storageAccounts" })[0]?.name;
  return { vault: `${vault}.vault.azure.net`, account: `${account}.blob.core.windows.net` };
}

async function failOnce(stage: Stage, mishap: Mishap): Promise<EngineRun> {
  const service = mishap.service && stage.azure.faults.add(mishap.service(hosts(stage)));
  const provider = mishap.provider && stage.faults.add(mishap.provider);
  try {
    const run = await stage.engine.up().catch((error: unknown) => error);
    assert.ok(run instanceof RunFailed, `up did not fail: ${mishap.reads}`);
    assert.match(run.run.log, mishap.reads);
    return run.run;
  } finally {
    service?.remove();
    provider?.remove();
  }
}

/** The secret is declared again and changed; each step on its way fails once; the last up finishes, one more has nothing to do. */
export async function failAndGoOn(stage: Stage): Promise<EngineRun[]> {
  const secrets = JSON.parse(stage.config["sealed-onion:secrets"] ?? "{}");
  const token = { source: { file: `${stage.sources}/token` } };
  stage.config["sealed-onion:secrets"] = JSON.stringify({ ...secrets, token });
  await stage.engine.setConfig(stage.config);
  writeToken(stage);
  const runs: EngineRun[] = [];
  for (const mishap of mishaps) runs.push(await failOnce(stage, mishap));
  const last = await stage.engine.up();
  const again = await stage.engine.up();
  assert.deepEqual(changesOf(again), []);
  assert.ok(stage.azure.cloud.get(String((await stage.engine.outputs()).vmId)));
  return [...runs, last, again];
}
