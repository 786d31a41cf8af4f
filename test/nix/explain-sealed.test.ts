import type { CloudName } from "loopback-azure/cloud-names";
import { GUEST, OTHER, policy, type Rig, sealKey, startRig, VAULT_URL, vault } from "loopback-azure/fixture";
import type { Machine } from "loopback-azure/machine/machine";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findOnPath } from "../../components/process/find-program";
import { runGuestScript } from "./guest-script";

const missing = ["bash", "curl", "jq"].filter((program) => !findOnPath(program));

const without = missing.length === 0 ? "" : ` (skipped without ${missing.join(", ")})`;

describe.skipIf(missing.length > 0)(`in each of Azure's clouds${without}`, () => {
  it.each<[cloud: CloudName, host: string]>([
    ["usgovernment", "kv-test.vault.usgovcloudapi.net"],
    ["china", "kv-test.vault.azure.cn"],
  ])("%s: a token for its vaults is asked for, and what is missing is said", async (cloud, host) => {
    const rig = await startRig({ cloud });
    try {
      const machine = await rig.azure.bootMachine(rig.ids.machine);
      const key = `https://${host}/keys/seal/${(await sealKey(rig.cloud)).version}`;
      const unit = { SEALED_ONION_KEY_URL: key, AZURE_CLIENT_ID: GUEST.clientId };
      const explain = async () =>
        (await runGuestScript("explain-sealed", [], { ...machine.env, ...unit })).stdout.toString("utf8").trim();
      expect(await explain()).toBe(
        `identity ${GUEST.clientId} may not decrypt with ${key} (HTTP 403 AccessDenied): give it the key permission 'decrypt', and see that the key is enabled`,
      );
      rig.cloud.put(vault(rig.cloud, { accessPolicies: [policy(rig.cloud, GUEST.principalId, "decrypt")] }));
      expect(await explain()).toBe("");
    } finally {
      await rig.close();
    }
  });
});

describe.skipIf(missing.length > 0)(`why Azure opens nothing${without}`, () => {
  let rig: Rig;
  let machine: Machine;
  let keyUrl: string;

  beforeAll(async () => {
    rig = await startRig();
    machine = await rig.azure.bootMachine(rig.ids.machine);
    keyUrl = `${VAULT_URL}/keys/seal/${(await sealKey(rig.cloud)).version}`;
  });
  afterAll(async () => {
    await machine.close();
    await rig.close();
  });
  beforeEach(() => {
    rig.azure.faults.clear();
    rig.cloud.put(vault(rig.cloud));
  });

  function grant(): void {
    rig.cloud.put(vault(rig.cloud, { accessPolicies: [policy(rig.cloud, GUEST.principalId, "decrypt")] }));
  }

  /** Why Azure opens nothing. */
  async function explanation(environment: Record<string, string> = {}): Promise<string> {
    const unit = { SEALED_ONION_KEY_URL: keyUrl, AZURE_CLIENT_ID: GUEST.clientId };
    const { code, stdout, stderr } = await runGuestScript("explain-sealed", [], {
      ...machine.env,
      ...unit,
      ...environment,
    });
    expect([code, stderr]).toEqual([0, ""]);
    const said = stdout.toString("utf8");
    expect(said).toMatch(/^([^\n]+\n)?$/);
    expect(said).not.toContain("eyJ"); // the beginning of every token
    return said.trim();
  }

  it("names the right that an identity lacks", async () => {
    expect(await explanation()).toBe(
      `identity ${GUEST.clientId} may not decrypt with ${keyUrl} (HTTP 403 AccessDenied): give it the key permission 'decrypt', and see that the key is enabled`,
    );
  });

  it("names an identity that the machine does not have", async () => {
    expect(await explanation({ AZURE_CLIENT_ID: OTHER.clientId })).toBe(
      `Azure gives no token to identity ${OTHER.clientId} (HTTP 400: Identity not found): attach that user-assigned identity to this machine`,
    );
  });

  it("names a key that is not there", async () => {
    grant();
    const other = `${VAULT_URL}/keys/seal/${"0".repeat(32)}`;
    expect(await explanation({ SEALED_ONION_KEY_URL: other })).toBe(
      `kv-test.vault.azure.net has no such key (HTTP 404 KeyNotFound): recover ${other}, or seal again with the key that is there`,
    );
  });

  it("is silent where the vault is willing", async () => {
    grant();
    expect(await explanation()).toBe("");
  });

  it("tells a vault that is busy", async () => {
    rig.azure.faults.add({ host: "kv-test.vault.azure.net", effect: { kind: "answer", status: 503, code: "Busy" } });
    expect(await explanation()).toBe("kv-test.vault.azure.net is busy or down (HTTP 503 Busy): it is asked again");
  });

  it("tells a vault that cannot be reached", async () => {
    rig.azure.faults.add({ host: "kv-test.vault.azure.net", effect: { kind: "unreachable" } });
    expect(await explanation()).toMatch(
      /^kv-test\.vault\.azure\.net cannot be reached \(\(56\) .+\): allow outbound HTTPS, and check the vault's firewall$/,
    );
  });

  it("tells a metadata service that does not answer", async () => {
    rig.azure.faults.add({ host: "169.254.169.254", effect: { kind: "reset" } });
    expect(await explanation()).toMatch(
      /^the metadata service at 169\.254\.169\.254 does not answer \(\(52\) .+\): is the network up, and is this a machine in Azure\?$/,
    );
  });

  it.each(["169.254.169.254", "kv-test.vault.azure.net"])(
    "waits for 8 s where %s hangs",
    { timeout: 30_000 },
    async (host) => {
      grant();
      rig.azure.faults.add({ host, effect: { kind: "hang" } });
      const started = performance.now();
      expect(await explanation()).toContain("timed out");
      expect(performance.now() - started).toBeLessThan(15_000);
    },
  );
});
