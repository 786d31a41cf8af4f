import * as assert from "node:assert/strict";
import type { FaultRule } from "loopback-azure/gateway/faults";
import { ArmError } from "loopback-azure/provider/arm";
import { type ProviderFault, policyDenial, quotaExceeded } from "loopback-azure/provider/provider-faults";
import { changesOf, type EngineRun, RunFailed } from "./engine";
import { type Stage, stageSecrets, writeToken } from "./stage";
import { stageHosts } from "./stage-resources";
import { each, expectChanges, type Told, withConfig } from "./story-tools";

/** Something that goes wrong in one step of an update, what the user reads of it, and what has been done all the same. */
interface Mishap {
  /** In Azure's control plane. */
  provider?: ProviderFault;
  /** At a vault's or account's own address. */
  service?: (host: { vault: string; account: string }) => FaultRule;
  reads: RegExp;
  done: string[];
}

const refused = (status: number, code: string) => ({ kind: "answer", status, code, message: "refused" }) as const;
const timedOut = new ArmError(409, "OSProvisioningTimedOut", "OS Provisioning did not finish in the allotted time.");

/** In the order in which a new secret goes its way: seal, build, upload, image, machine, older images, the machine before. */
const mishaps: Mishap[] = [
  {
    service: ({ vault }) => ({ host: vault, path: "/keys/", effect: refused(400, "BadParameter") }),
    reads: /token-seal.*BadParameter/s,
    done: [],
  },
  {
    service: ({ account }) => ({ host: account, method: "HEAD", effect: refused(403, "AccountIsDisabled") }),
    reads: /-build.*AccountIsDisabled/s,
    done: ["create token-seal"],
  },
  {
    service: ({ account }) => ({ host: account, method: "PUT", effect: refused(403, "AccountIsDisabled") }),
    reads: /-upload.*AccountIsDisabled/s,
    done: ["update image-build"],
  },
  {
    provider: { operation: "create", name: "image-image", error: policyDenial("image-image", "no-images") },
    reads: /RequestDisallowedByPolicy.*image-image.*no-images/s,
    done: ["update image-upload"],
  },
  {
    provider: { operation: "create", name: "vm-address", error: policyDenial("vm-address", "no-addresses") },
    reads: /RequestDisallowedByPolicy.*vm-address.*no-addresses/s,
    done: ["create-replacement image-image", "create-replacement vm-generation"],
  },
  {
    provider: { operation: "create", name: "vm-machine", error: quotaExceeded("westeurope", 4) },
    reads: /exceeding approved Total Regional Cores quota/,
    done: ["create-replacement vm-address", "create-replacement vm-card"],
  },
  {
    provider: { operation: "create", name: "vm-machine", afterwards: true, error: timedOut },
    reads: /OSProvisioningTimedOut|OS Provisioning did not finish/,
    done: [],
  },
  {
    service: ({ account }) => ({ host: account, method: "GET", effect: refused(403, "AccountIsDisabled") }),
    reads: /-prune.*AccountIsDisabled/s,
    done: ["update vm-machine"],
  },
  {
    provider: { operation: "delete", name: "vm-machine", error: policyDenial("vm-machine", "keep-machines") },
    reads: /keep-machines/,
    done: ["update vm-prune"],
  },
];

async function failOnce(stage: Stage, mishap: Mishap): Promise<EngineRun> {
  const service = mishap.service && stage.azure.faults.add(mishap.service(stageHosts(stage)));
  const provider = mishap.provider && stage.faults.add(mishap.provider);
  try {
    const run = await stage.engine.up().catch((error: unknown) => error);
    assert.ok(run instanceof RunFailed, `up did not fail: ${mishap.reads}`);
    assert.match(run.run.log, mishap.reads);
    // `replace` stands for the two steps of a replacement: Pulumi tells it before the second one, which may fail
    assert.deepEqual(
      changesOf(run.run).filter((change) => !change.startsWith("replace ")),
      mishap.done,
      run.run.log.slice(-2000),
    );
    return run.run;
  } finally {
    service?.remove();
    provider?.remove();
  }
}

/**
 * A secret is declared again; each step on its way fails once, and the machine before serves all the while; the last up
 * finishes and ends it, one more has nothing to do.
 */
export async function failAndGoOn(stage: Stage): Promise<Told> {
  await withConfig(stage, { "sealed-onion:secrets": JSON.stringify(stageSecrets(stage.sources, true)) });
  writeToken(stage);
  const runs: EngineRun[] = [];
  const before = String((await stage.engine.outputs()).vmId);
  for (const mishap of mishaps) {
    runs.push(await failOnce(stage, mishap));
    assert.ok(stage.azure.cloud.get(before), `the machine before is gone: ${mishap.reads}`);
  }
  const last = await stage.engine.up();
  const ofMachine = ["vm-address", "vm-card", "vm-generation", "vm-machine"];
  expectChanges(last, ...each("delete-replaced", ["image-image", ...ofMachine]));
  assert.equal(stage.azure.cloud.get(before), undefined, "the machine before is left");
  const again = await stage.engine.up();
  expectChanges(again);
  assert.ok(stage.azure.cloud.get(String((await stage.engine.outputs()).vmId)));
  return { runs: [...runs, last, again], note: `${mishaps.length} failures` };
}
