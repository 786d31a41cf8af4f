import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { GUEST, OTHER, policy, type Rig, sealKey, startRig, VAULT_URL, vault } from "loopback-azure/fixture";
import type { Machine } from "loopback-azure/machine/machine";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findOnPath } from "../../components/process/find-program";
import { runGuestScript } from "./guest-script";

const missing = ["bash", "curl", "jq"].filter((program) => !findOnPath(program));

describe.skipIf(missing.length > 0)(`the line on the console (skipped without ${missing.join(", ")})`, () => {
  let rig: Rig;
  let machine: Machine;
  let keyUrl: string;
  let directory: string;

  beforeAll(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), "explain-sealed-"));
    rig = await startRig();
    machine = await rig.azure.bootMachine(rig.ids.machine);
    keyUrl = `${VAULT_URL}/keys/seal/${(await sealKey(rig.cloud)).version}`;
  });
  afterAll(async () => {
    await machine.close();
    await rig.close();
    fs.rmSync(directory, { recursive: true });
  });
  beforeEach(() => {
    rig.azure.faults.clear();
    rig.cloud.put(vault(rig.cloud));
  });

  function grant(): void {
    rig.cloud.put(vault(rig.cloud, { accessPolicies: [policy(rig.cloud, GUEST.principalId, "decrypt")] }));
  }

  /** A PATH on which the journal of this start of the unit is the given text. */
  function journalThatSays(text: string): string {
    const journal = path.join(directory, "journal");
    fs.writeFileSync(journal, text);
    fs.writeFileSync(path.join(directory, "journalctl"), `#!/bin/sh\n[ "$1" = --sync ] || cat '${journal}'\n`, {
      mode: 0o755,
    });
    return `${directory}:${process.env.PATH}`;
  }

  /** What the console shows after a failed attempt. */
  async function explanation(environment: Record<string, string> = {}): Promise<string> {
    const unit = { SEALED_ONION_KEY_URL: keyUrl, AZURE_CLIENT_ID: GUEST.clientId, SERVICE_RESULT: "exit-code" };
    const { code, stdout, stderr } = await runGuestScript("explain-sealed", [], {
      ...machine.env,
      ...unit,
      ...environment,
    });
    expect(code).toBe(0);
    expect(stdout.length).toBe(0);
    expect(stderr).toMatch(/^<2>sealed-onion: the secrets are still sealed: [^\n]*\n$/);
    expect(stderr).not.toContain("eyJ"); // the beginning of every token
    return stderr.slice("<2>sealed-onion: the secrets are still sealed: ".length).trim();
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

  it("looks at the sealed file where the vault is willing", async () => {
    grant();
    expect(await explanation()).toBe(
      `identity ${GUEST.clientId} may use ${keyUrl}, but the secrets could not be placed: see journalctl -u sops-install-secrets`,
    );
  });

  it.each([
    [
      "failed to decrypt '/nix/store/x-onion.sops.json': Error getting data key",
      (key: string) =>
        `identity ${GUEST.clientId} may use ${key}, but a sealed file does not open with it (failed to decrypt '/nix/store/x-onion.sops.json': Error getting data key): seal it again with \`pulumi up\``,
    ],
    [
      "cannot create parent directory of '/var/lib/x': no space left on device",
      (key: string) =>
        `identity ${GUEST.clientId} may use ${key}, but the secrets could not be placed: cannot create parent directory of '/var/lib/x': no space left on device`,
    ],
  ])("repeats what the installer said: %s", async (said, expected) => {
    grant();
    const imported = "sops-install-secrets: Imported /etc/ssh/ssh_host_ed25519_key as age key with fingerprint age1x";
    const PATH = journalThatSays(`${imported}\n/nix/store/x/bin/sops-install-secrets: ${said}\n`);
    expect(await explanation({ PATH, INVOCATION_ID: "0" })).toBe(expected(keyUrl));
  });

  it("tells an attempt that took too long", async () => {
    grant();
    const PATH = journalThatSays("sops-install-secrets: Imported /etc/ssh/ssh_host_ed25519_key as age key\n");
    expect(await explanation({ PATH, INVOCATION_ID: "0", SERVICE_RESULT: "timeout" })).toBe(
      `identity ${GUEST.clientId} may use ${keyUrl}, but it took too long: it is tried again`,
    );
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

  it("says nothing after a good end", async () => {
    const { code, stderr } = await runGuestScript("explain-sealed", [], {
      SERVICE_RESULT: "success",
      SEALED_ONION_KEY_URL: keyUrl,
    });
    expect([code, stderr]).toEqual([0, ""]);
  });
});
