import { afterAll, beforeAll, expect, it } from "vitest";
import { type Sealing, startSealing } from "./sealing";

let sealing: Sealing;
beforeAll(async () => {
  sealing = await startSealing();
});
afterAll(() => sealing.close());
it("x", async () => {
  const run = await sealing.run({});
  console.log(run, sealing.vaultCalls(), sealing.azure.requests.entries.length);
  expect(run.code).toBe(0);
  const again = await sealing.run({ fingerprint: run.result.fingerprint }, { previous: run.result });
  console.log(again, sealing.vaultCalls());
  console.log(sealing.record("onion-key"), sealing.read("nix/stacks/dev/onion-key.sops.json").toString());
});
