import * as assert from "node:assert/strict";
import { ask, via } from "loopback-azure/client";
import { policyDenial } from "loopback-azure/provider/provider-faults";
import { changesOf, type EngineRun, RunFailed } from "../engine/engine";
import type { Stage } from "../engine/stage";
import { stageResources } from "../engine/stage-resources";
import { expectChanges, sealAction, sealedFile, type Told, withConfig } from "../engine/story-tools";
import type { SpeakingMachines } from "./speaking-machines";

/** One chapter of a fleet's life: it goes on where the one before it ended. */
type Telling = [name: string, tell: (stage: Stage, speaking: SpeakingMachines) => Promise<Told>];

/** One update, and all of what it did is in the log. */
async function up({ engine }: Stage, speaking: SpeakingMachines): Promise<EngineRun> {
  const run = await engine.up();
  await speaking.caughtUp();
  return run;
}

const NUMBERS = [1, 2, 3];
const VM = "Microsoft.Compute/virtualMachines";

async function oneMachine(stage: Stage, speaking: SpeakingMachines): Promise<Told> {
  const { log } = speaking;
  await withConfig(stage, { "sealed-onion:status": "true", "sealed-onion:authorization": "rbac" });
  const run = await up(stage, speaking);
  assert.deepEqual(log, ["+ machine", "published machine"]);
  return { runs: [run] };
}

/** Replicas in turn, and only then does what served before go. */
async function becomeThree(stage: Stage, speaking: SpeakingMachines): Promise<Told> {
  const { log } = speaking;
  const before = await stage.engine.outputs();
  log.splice(0);
  await withConfig(stage, { "sealed-onion:replicas": "3", "sealed-onion:zones": "[1,2,3]" });
  const run = await up(stage, speaking);
  inTurn(log, ["- machine"]);
  const after = await stage.engine.outputs();
  assert.equal(after.onionHostname, before.onionHostname, "the address stays");
  assert.equal(await sealAction(stage, "onion"), "rewrapped", "its key goes to the front end as it is");
  assert.match(sealedFile(stage, "onion").toString(), /"name": "front-end-\d+"/);
  const zones = stageResources(stage, VM).map(({ name, zones: own }) => `${/replica-\d|front-end/.exec(name)} ${own}`);
  assert.deepEqual(zones.sort(), ["front-end 1", "replica-1 1", "replica-2 2", "replica-3 3"]);
  const again = await stage.engine.up();
  expectChanges(again);
  return { runs: [run, again], note: await keysAreApart(stage) };
}

/** The replicas' identity may not decrypt with the key that seals the address's, and the front end's not with theirs. */
async function keysAreApart({ azure, ...stage }: Stage): Promise<string> {
  const identities = new Map(
    stageResources({ azure, ...stage }, VM).map(({ name, identity }) => {
      const [assigned] = Object.values(identity?.userAssignedIdentities ?? {});
      return [name.includes("front-end") ? "front end" : "replica", assigned?.principalId ?? ""] as const;
    }),
  );
  const said: string[] = [];
  for (const [who, objectId] of identities) {
    for (const secret of ["onion", "onion-replica-1"]) {
      const sealed = JSON.parse(sealedFile({ azure, ...stage }, secret).toString()) as {
        sops: { azure_kv: { vault_url: string; name: string; version: string; enc: string }[] };
      };
      const [key] = sealed.sops.azure_kv;
      assert.ok(key);
      const principal = azure.cloud.directory.principal(objectId);
      assert.ok(principal);
      const { token } = await azure.tokens.issue({ principal, audience: "https://vault.azure.net" });
      const url = `${key.vault_url.replace(/\/$/, "")}/keys/${key.name}/${key.version}/decrypt?api-version=7.4`;
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const body = JSON.stringify({ alg: "RSA-OAEP-256", value: key.enc });
      const { status } = await ask(via(azure.workstation.env), url, { method: "POST", headers, body });
      said.push(`${who} ${secret} ${status}`);
    }
  }
  assert.deepEqual(said.sort(), [
    "front end onion 200",
    "front end onion-replica-1 403",
    "replica onion 403",
    "replica onion-replica-1 200",
  ]);
  return "a replica that asks for the address's key gets 403";
}

/** Every machine is another one: all new ones serve before the first old one goes. */
async function replaceAll(stage: Stage, speaking: SpeakingMachines): Promise<Told> {
  const { log } = speaking;
  log.splice(0);
  await withConfig(stage, { "sealed-onion:adminUser": "alice" });
  const run = await up(stage, speaking);
  inTurn(log, ["- front-end-1", "- replica-1", "- replica-2", "- replica-3"]);
  return { runs: [run] };
}

/** Refused in the middle, all that served still does; the next `up` makes what is missing. */
async function refusedInTheMiddle(stage: Stage, speaking: SpeakingMachines): Promise<Told> {
  const { log } = speaking;
  log.splice(0);
  await withConfig(stage, { "sealed-onion:adminUser": "bob" });
  const name = "vm-replica-2-machine";
  const fault = stage.faults.add({ operation: "create", name, error: policyDenial(name, "not-yet") });
  const refused: unknown = await stage.engine.up().catch((error: unknown) => error);
  assert.ok(refused instanceof RunFailed, "the update was not refused");
  await speaking.caughtUp();
  assert.ok(fault.hits > 0);
  assert.deepEqual(
    log.filter((event) => event.startsWith("- ")),
    [],
    "nothing that served went",
  );
  assert.ok(!log.includes("+ replica-3"), "the third one is not touched before the second one serves");
  const run = await up(stage, speaking);
  assert.ok(log.indexOf("published replica-2") < log.indexOf("+ replica-3"));
  assert.deepEqual(
    log.filter((event) => event.startsWith("- ")).sort(),
    ["- front-end-1", ...NUMBERS.map((n) => `- replica-${n}`)].sort(),
  );
  assert.equal(stageResources(stage, VM).length, 4);
  return { runs: [refused.run, run], note: "refused once, gone on with" };
}

/** Without quota for twice as many: each goes before its successor is made, and the next only once that one is taken in. */
async function replaceOneByOne(stage: Stage, speaking: SpeakingMachines): Promise<Told> {
  const { log } = speaking;
  log.splice(0);
  await withConfig(stage, { "sealed-onion:rollout": "oneByOne", "sealed-onion:vmSize": "Standard_B2ms" });
  const run = await up(stage, speaking);
  const steps = NUMBERS.flatMap((number) => [
    `- replica-${number}`,
    `+ replica-${number}`,
    `published replica-${number}`,
  ]);
  assert.deepEqual(
    log.filter((event) => event.includes("replica")),
    steps,
  );
  return { runs: [run] };
}

async function becomeTwo(stage: Stage, speaking: SpeakingMachines): Promise<Told> {
  const { log } = speaking;
  log.splice(0);
  await withConfig(stage, { "sealed-onion:replicas": "2" });
  const run = await up(stage, speaking);
  assert.equal(stageResources(stage, VM).length, 3);
  assert.equal(log.filter((event) => event === "- replica-3").length, 1);
  return { runs: [run] };
}

/** The address's key comes back as it is, and the front end goes once the machine serves. */
async function becomeOne(stage: Stage, speaking: SpeakingMachines): Promise<Told> {
  const { log } = speaking;
  const before = await stage.engine.outputs();
  log.splice(0);
  const one = { "sealed-onion:replicas": "1", "sealed-onion:zones": "[]", "sealed-onion:rollout": "" };
  await withConfig(stage, one);
  const run = await up(stage, speaking);
  assert.deepEqual(log.slice(0, 2), ["+ machine", "published machine"]);
  assert.deepEqual(log.slice(2).sort(), ["- front-end-1", "- replica-1", "- replica-2"]);
  assert.equal((await stage.engine.outputs()).onionHostname, before.onionHostname);
  assert.equal(await sealAction(stage, "onion"), "rewrapped");
  assert.ok(changesOf(run).includes("delete onion-replica-1-seal"));
  return { runs: [run] };
}

/** Each replica is made once the one before is published, and all of them before anything goes. */
function inTurn(log: readonly string[], gone: readonly string[]): void {
  const made = NUMBERS.flatMap((number) => [`+ replica-${number}`, `published replica-${number}`]);
  assert.deepEqual(
    log.filter((event) => event.includes("replica") && !event.startsWith("-")),
    made,
  );
  const firstGone = log.findIndex((event) => event.startsWith("- "));
  assert.equal(log.length - firstGone, gone.length, log.join());
  assert.deepEqual(log.slice(firstGone).sort(), [...gone].sort());
  assert.ok(log.indexOf("published front-end-1") < firstGone);
}

export const fleetLife: readonly Telling[] = [
  ["one machine serves", oneMachine],
  ["it becomes three and a front end, and keeps its address", becomeThree],
  ["all are replaced: new ones first", replaceAll],
  ["a replacement that Azure refuses in the middle", refusedInTheMiddle],
  ["all are replaced: one by one", replaceOneByOne],
  ["three become two", becomeTwo],
  ["two become one, with the address", becomeOne],
];
