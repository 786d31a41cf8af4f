import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { formatSecretKeyFile, generateOnionKey } from "../../../../components/onion/keys";
import { findOnPath } from "../../../../components/process/find-program";
import type { SecretView } from "../../../../components/secrets/cli/list";
import { type Sealing, startSealing } from "../sealing";

const noSops = !findOnPath("sops");
const why = noSops ? " (skipped: needs sops on PATH)" : "";
let sealing: Sealing;
let frontEndKey: string;

const facts = (stack: string, content: object) =>
  sealing.write(`nix/stacks/${stack}/facts.json`, JSON.stringify(content));

/** As `pulumi up` leaves a stack of three replicas whose address was imported from a file. */
beforeAll(async () => {
  sealing = await startSealing();
  if (noSops) return;
  const { version } = await sealing.azure.cloud.keys.create(sealing.vaultId, "front-end", { keySize: 2048 });
  frontEndKey = `https://test-vault.vault.azure.net/keys/front-end/${version}`;
  sealing.write("key", formatSecretKeyFile(generateOnionKey()));
  const secrets = { onion: { source: { file: "key" }, kind: "onion" }, token: { source: { file: "token" } } };
  sealing.write("token", "a token\n");
  sealing.write("Pulumi.dev.yaml", stringify({ config: { "sealed-onion:secrets": secrets } }));
  await sealing.run({ name: "onion", source: { file: "key" }, kind: "onion", keyUrl: frontEndKey });
  await sealing.run({ name: "token", source: { file: "token" } });
  const own = [1, 2, 3].map((number) => `onion-replica-${number}`);
  for (const name of own) await sealing.run({ name });
  const site = own.map((secret) => ({ secret, hostname: "" }));
  facts("dev", { vault: { keyUrl: sealing.keyUrl }, replica: { services: { site } } });
  const front = { of: "dev", services: { site: { secret: "onion" } } };
  facts("dev-front-end", { vault: { keyUrl: frontEndKey }, frontEnd: front });
}, 60_000);
afterAll(() => sealing.close());

async function views(): Promise<SecretView[]> {
  const { stdout, stderr } = await sealing.start("secrets", ["--json"]);
  expect(stderr).toBe("");
  return JSON.parse(stdout) as SecretView[];
}

describe.skipIf(noSops)(`npm run secrets of a stack of several machines${why}`, () => {
  it("knows the replicas' own keys, and by which key each secret is sealed", async () => {
    const seen = (await views()).map(({ stack, name, state, keyUrl, currentKey }) => {
      return [stack, name, state, keyUrl === frontEndKey ? "front end" : "stack", currentKey];
    });
    expect(seen).toEqual([
      ["dev", "onion", "sealed", "front end", true],
      ...[1, 2, 3].map((number) => ["dev", `onion-replica-${number}`, "sealed", "stack", true]),
      ["dev", "token", "sealed", "stack", true],
    ]);
  });

  it.each(["onion", undefined])("seals an address's key for the front end alone, again: %s", async (name) => {
    const run = await sealing.start("secrets", ["reseal", ...(name === undefined ? ["--all"] : [name])]);
    expect(run).toMatchObject({ code: 0 });
    const sealed = sealing.read("nix/stacks/dev/onion.sops.json").toString();
    expect(sealed).toContain('"name": "front-end"');
    expect(sealed).not.toContain('"name": "sealing"');
    expect(sealing.record("onion").keyUrl).toBe(frontEndKey);
    expect(sealing.record("token").keyUrl).toBe(sealing.keyUrl);
  });

  it("leaves a replica's own key alone, and names no dial that it does not have", async () => {
    const before = sealing.read("nix/stacks/dev/onion-replica-1.sops.json");
    const run = await sealing.start("secrets", ["reseal", "onion-replica-1"]);
    const said = "onion key onion-replica-1 is one replica's own, made by pulumi up: it stands\n";
    expect(run).toMatchObject({ code: 1, stderr: said });
    expect(sealing.read("nix/stacks/dev/onion-replica-1.sops.json")).toEqual(before);
  });
});
