import { describe, expect, it } from "vitest";
import { keyHolders } from "../../../components/fleet/replica-keys";
import { onionHostname } from "../../../components/onion/hostname";
import { parseSecrets } from "../../../components/secrets/secret";
import { addressesOf } from "../../../components/stack/addresses";
import type { StackConfig } from "../../../components/stack/config";
import { frontEndFacts, machineFacts } from "../../../components/stack/fleet-facts";
import { parseServices } from "../../../components/stack/services";
import { DEFAULT_UPDATE } from "../../../components/system/update-settings";
import { DEFAULT_VAULT } from "../../../components/vault/vault";
import { DEFAULT_BOOT_AGENT } from "../../../components/vm/boot-agent";
import { DEFAULT_MACHINE } from "../../../components/vm/machine";

const onion = { source: { onion: {} } };
const declared = parseSecrets({
  "onion-key": onion,
  "shell-key": onion,
  "ssh-host-key": { source: { sshHostKey: {} } },
});
const value = { site: { key: "onion-key" }, shell: { key: "shell-key", ssh: true, ports: {} } };
const services = parseServices({ path: "services", value }, declared);
const REPLICAS = 2;
const { frontEnd, replicas } = keyHolders(declared, services, REPLICAS);
const CONFIG: StackConfig = {
  ...{ stack: "dev", location: "westeurope", secrets: replicas, services },
  recipients: { age: [], pgp: [] },
  vault: DEFAULT_VAULT,
  image: {
    ...{ publish: "managed", upload: "granted", keep: 2, generation: 1, targetRegions: [] },
    machine: { architecture: "x64", nvme: false, trustedLaunch: false },
  },
  machine: { ...DEFAULT_MACHINE, sshPublicKey: "ssh-ed25519 AAAA" },
  bootAgent: { ...DEFAULT_BOOT_AGENT, sshKeys: true },
  ...{
    production: false,
    tags: {},
    vaultAuth: undefined,
    status: true,
    logs: undefined,
    network: undefined,
    grants: undefined,
    granted: false,
    update: DEFAULT_UPDATE,
  },
  fleet: {
    ...{ replicas: REPLICAS, frontEnd: { vmSize: "Standard_B1s", replicas: 1 }, rollout: "newFirst" },
    keys: frontEnd,
  },
};
const keys = ["onion-key", "shell-key"].flatMap((key) => [key, `${key}-replica-1`, `${key}-replica-2`]);
const hostnames = Object.fromEntries(keys.map((key, index) => [key, onionHostname(Buffer.alloc(32, index + 1))]));
const DEPLOYED = {
  keyUrl: "https://so-dev.vault.azure.net/keys/sealing-3072/0",
  clientId: "66666666-6666-4666-8666-666666666666",
  statusUrl: "https://sodev.blob.core.windows.net/status",
  hostnames,
};

describe("several machines, and ssh that each of them has for itself", () => {
  it("the front end has the balanced address's key alone, and publishes that address alone", () => {
    const facts = frontEndFacts(CONFIG, DEPLOYED);
    expect(Object.keys(facts.secrets)).toEqual(["onion-key"]);
    expect(facts.services).toEqual({});
    expect(facts).not.toHaveProperty("sshHostKey");
    const backends = [hostnames["onion-key-replica-1"], hostnames["onion-key-replica-2"]];
    expect(facts.frontEnd?.services).toEqual({
      site: { secret: "onion-key", hostname: hostnames["onion-key"], backends },
    });
  });

  it("each replica has a key of its own for either, none of the balanced address's, and sshd's own", () => {
    const { replica, secrets, services: served, sshHostKey } = machineFacts(CONFIG, DEPLOYED);
    expect(Object.keys(secrets)).not.toContain("onion-key");
    expect(Object.keys(secrets)).toEqual(
      expect.arrayContaining(["onion-key-replica-2", "shell-key-replica-2", "ssh-host-key"]),
    );
    expect(sshHostKey).toBe("ssh-host-key");
    expect(served.shell).toMatchObject({ secret: "shell-key-replica-1", ssh: true, ports: {} });
    expect(replica?.services.shell?.map(({ secret }) => secret)).toEqual([
      "shell-key-replica-1",
      "shell-key-replica-2",
    ]);
  });

  it("people are told the balanced address, and ssh's on each replica", () => {
    expect(addressesOf(CONFIG).map(({ name, key }) => [name, key])).toEqual([
      ["shell-replica-1", "shell-key-replica-1"],
      ["shell-replica-2", "shell-key-replica-2"],
      ["site", "onion-key"],
    ]);
    const alone = addressesOf({ ...CONFIG, fleet: undefined });
    expect(alone.map(({ name, key }) => [name, key])).toEqual([
      ["shell", "shell-key"],
      ["site", "onion-key"],
    ]);
  });
});
