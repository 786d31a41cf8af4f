import * as assert from "node:assert/strict";
import type { Fault, FaultRule } from "loopback-azure/gateway/faults";
import { policyDenial } from "loopback-azure/provider/provider-faults";
import { changesOf, type EngineRun, RunFailed } from "./engine";
import type { Stage } from "./stage";
import { each, expectChanges, learnOnionKey, type Told, WHOLE_STACK } from "./story-tools";

/** Made of nothing but chance, on the workstation: there is nobody who could refuse them. */
const NOBODY_REFUSES = ["image-suffix", "vault-fingerprint-key", "vault-guard", "vault-suffix", "vm-generation"];

const DISABLED = { kind: "answer", status: 403, code: "AccountIsDisabled", message: "refused once" } as const;
const BLOBS = ".blob.core.windows.net";

/** What the first request of a command meets, by the commands that ask. */
const commandFaults: [commands: string[], rule: FaultRule & { times: number }][] = [
  [
    ["onion-seal", "token-seal"],
    { host: ".vault.azure.net", times: 2, effect: { ...DISABLED, status: 400, code: "BadParameter" } },
  ],
  [["image-build"], { host: BLOBS, method: "HEAD", times: 1, effect: DISABLED }],
  [["image-upload"], { host: BLOBS, method: "PUT", times: 1, effect: DISABLED }],
  [["vm-prune"], { host: BLOBS, method: "GET", times: 1, effect: DISABLED }],
];

/** Something that is refused a number of times. */
interface Refused {
  name: string;
  times: number;
  fault: Pick<Fault, "hits">;
}

/** Lets the making of everything fail once. */
function failEverything(stage: Stage): Refused[] {
  const commands = commandFaults.flatMap(([names]) => names);
  const managed = WHOLE_STACK.filter((name) => ![...NOBODY_REFUSES, ...commands].includes(name));
  return [
    ...managed.map((name) => {
      const fault = stage.faults.add({ operation: "create", name, error: policyDenial(name, "not-at-first") });
      return { name, times: 1, fault };
    }),
    ...commandFaults.map(([names, rule]) => {
      return { name: names.join(", "), times: rule.times, fault: stage.azure.faults.add(rule) };
    }),
  ];
}

/**
 * Runs `up` until it ends well, or until it is refused for good, with each resource refused once.
 * @param whenFailed looks at Azure after each `up` that failed
 * @returns every run, the last one included
 */
export async function upUntil(
  stage: Stage,
  isLast: (run: EngineRun | RunFailed) => boolean,
  whenFailed: () => Promise<void> = async () => {},
): Promise<EngineRun[]> {
  const faults = failEverything(stage);
  const runs: EngineRun[] = [];
  let done = false;
  while (!done) {
    assert.ok(runs.length <= WHOLE_STACK.length, `an up makes no headway: ${runs.at(-1)?.log.slice(-2000)}`);
    const run = await stage.engine.up().catch((error: unknown) => {
      if (error instanceof RunFailed) return error;
      throw error;
    });
    done = isLast(run);
    runs.push(run instanceof RunFailed ? run.run : run);
    if (!done) await whenFailed();
  }
  for (const { name, times, fault } of faults) assert.equal(fault.hits, times, `${name} was refused ${times} times`);
  return runs;
}

/** A stack is made although each of its resources is refused once. */
export async function failAtFirst(stage: Stage): Promise<Told> {
  const runs = await upUntil(stage, (run) => !(run instanceof RunFailed));
  assert.deepEqual(runs.flatMap(changesOf).sort(), each("create", WHOLE_STACK), "everything is made, once");
  const again = await stage.engine.up();
  expectChanges(again);
  assert.ok(stage.azure.cloud.get(String((await stage.engine.outputs()).vmId)));
  await learnOnionKey(stage);
  return { runs: [...runs, again], note: `${runs.length - 1} times refused` };
}
