import { describe, expect, it } from "vitest";
import { parseSecrets } from "../../../components/secrets/secret";
import type { StackConfig } from "../../../components/stack/config";
import { factsOf, factsText } from "../../../components/stack/facts";
import { parseServices } from "../../../components/stack/services";
import { DEFAULT_UPDATE } from "../../../components/system/update-settings";
import { DEFAULT_VAULT } from "../../../components/vault/vault";
import { DEFAULT_BOOT_AGENT } from "../../../components/vm/boot-agent";
import { DEFAULT_MACHINE } from "../../../components/vm/machine";
import { HOSTNAME } from "../project-folder";

const secrets = parseSecrets({ "onion-key": { source: { onion: {} } } });
const CONFIG: StackConfig = {
  stack: "dev",
  location: "westeurope",
  secrets,
  services: parseServices({ path: "services", value: undefined }, secrets),
  recipients: { age: [], pgp: [] },
  vault: DEFAULT_VAULT,
  image: {
    publish: "managed",
    upload: "granted",
    keep: 2,
    generation: 1,
    targetRegions: [],
    machine: { architecture: "x64", nvme: false, trustedLaunch: false },
  },
  machine: { ...DEFAULT_MACHINE, sshPublicKey: "ssh-ed25519 AAAA" },
  bootAgent: DEFAULT_BOOT_AGENT,
  production: false,
  network: undefined,
  grants: undefined,
  granted: false,
  tags: {},
  vaultAuth: undefined,
  status: true,
  logs: undefined,
  fleet: undefined,
  update: DEFAULT_UPDATE,
};
const DEPLOYED = {
  keyUrl: "https://so-dev.vault.azure.net/keys/sealing-3072/0",
  clientId: "66666666-6666-4666-8666-666666666666",
  hostnames: { "onion-key": HOSTNAME },
  statusUrl: "https://sodev.blob.core.windows.net/status",
};

describe("the guest's facts", () => {
  it("are the same text for the same facts, whatever the order they were found in", () => {
    const { secrets, ...others } = factsOf(CONFIG, DEPLOYED);
    expect(factsText({ ...others, secrets })).toBe(factsText({ secrets, ...others }));
  });

  it("are this text", () => {
    expect(factsText(factsOf(CONFIG, DEPLOYED))).toBe(`{
  "guest": {
    "adminUser": "operator",
    "bootAgent": {
      "checkIn": true,
      "entropy": false,
      "hostname": false,
      "sshKeys": false
    },
    "readyWhenUnsealed": true,
    "userDataSecrets": false
  },
  "identity": {
    "clientId": "66666666-6666-4666-8666-666666666666"
  },
  "secrets": {
    "onion-key": {
      "group": "root",
      "mode": "0400",
      "owner": "root",
      "path": "/run/secrets/onion-key",
      "restart": [],
      "sealedFile": "onion-key.sops.json"
    }
  },
  "services": {
    "onion-key": {
      "clientAuthorization": [],
      "hostname": "${HOSTNAME}",
      "ports": {
        "80": "site"
      },
      "secret": "onion-key",
      "ssh": false
    }
  },
  "stack": "dev",
  "status": {
    "containerUrl": "https://sodev.blob.core.windows.net/status"
  },
  "vault": {
    "keyUrl": "https://so-dev.vault.azure.net/keys/sealing-3072/0"
  },
  "version": 1
}
`);
  });

  it("name a data disk where there is one", () => {
    const machine = { ...CONFIG.machine, dataDisk: { sizeGib: 8, type: "StandardSSD_LRS" } } as const;
    expect(factsOf({ ...CONFIG, machine }, DEPLOYED).dataDisk).toBe(true);
    expect(factsOf(CONFIG, DEPLOYED)).not.toHaveProperty("dataDisk");
  });

  it("say which journal is handed out, and to those whom a machine's own age encrypts for", () => {
    const plain = `age1${"q".repeat(58)}`;
    const recipients = {
      age: [plain, `age1pq1${"q".repeat(90)}`, `age1yubikey1${"q".repeat(60)}`, "ssh-ed25519 AAAA"],
      pgp: [],
    };
    const logs = { units: ["tor.service"] };
    const facts = factsOf({ ...CONFIG, recipients, logs }, DEPLOYED);
    expect(facts.logs).toEqual({ units: ["tor.service"], recipients: [plain, "ssh-ed25519 AAAA"] });
    expect(factsOf({ ...CONFIG, recipients }, DEPLOYED)).not.toHaveProperty("logs");
  });

  it("name no place for a status that nobody wants", () => {
    expect(factsOf({ ...CONFIG, status: false }, DEPLOYED)).not.toHaveProperty("status");
  });

  it("hold nothing of where a secret comes from", () => {
    const [secret] = parseSecrets({ token: { source: { command: ["op", "read", "token-in-the-safe"] } } });
    if (secret === undefined) throw new Error("no secret");
    const text = factsText(factsOf({ ...CONFIG, secrets: [...CONFIG.secrets, secret] }, DEPLOYED));
    expect(text).toContain('"token.sops.json"');
    expect(text).not.toContain("token-in-the-safe");
  });

  it("cannot be told of a service whose address is not known", () => {
    expect(() => factsOf(CONFIG, { ...DEPLOYED, hostnames: {} })).toThrow(
      "onion key onion-key of service onion-key has no hostname",
    );
  });

  it("say where systems lie and what they are believed by, only where they are taken in place", () => {
    expect(factsOf(CONFIG, DEPLOYED)).not.toHaveProperty("update");
    const containerUrl = "https://sodev.blob.core.windows.net/systems";
    const trust = { containerUrl, publicKey: "sealed-onion-dev:AAAA" };
    const facts = factsOf({ ...CONFIG, update: { update: "inPlace", reboot: "auto" } }, { ...DEPLOYED, ...trust });
    expect(facts.update).toEqual({ ...trust, reboot: "auto", keep: 2 });
  });
});
