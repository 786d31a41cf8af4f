import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HOSTNAME, type ProjectFolder, projectFolder } from "../components/project-folder";
import { CLIENT, CLIENT_ID, find, GROUP_ID, isKnown, type Registration, resolved } from "../components/pulumi-mocks";
import { ENV_PLAINTEXT, FILE_PLAINTEXT, PUBLIC_KEY, projectWithSecrets, runProgram } from "./program-run";

const VAULT_AUTH = {
  "vault:address": "https://vault.example.com:8200",
  vaultAuth: { principals: [CLIENT.objectId], roles: { web: { policies: ["web"] } } },
};

let project: ProjectFolder;
beforeEach(() => {
  project = projectWithSecrets();
});
afterEach(() => project.remove());

function wire(registrations: readonly Registration[]): Buffer {
  return Buffer.concat(registrations.map((registration) => registration.wire));
}

describe("the program", () => {
  it("gives every resource a component as its parent", async () => {
    const { registrations } = await runProgram(VAULT_AUTH);
    const components = registrations.filter(({ custom }) => !custom);
    expect(components.map(({ type, name, parent }) => [type, name, parent]).sort()).toEqual([
      ["sealed-onion:index:NixosImage", "image", undefined],
      ["sealed-onion:index:OnionVm", "vm", undefined],
      ["sealed-onion:index:SealedSecret", "onion-key", undefined],
      ["sealed-onion:index:SealedSecret", "password", undefined],
      ["sealed-onion:index:SealedSecret", "token", undefined],
      ["sealed-onion:index:SealingVault", "vault", undefined],
      ["sealed-onion:index:SystemClosure", "system", undefined],
      ["sealed-onion:index:VaultAzureAuth", "vault-auth", undefined],
    ]);
    const names = components.map(({ name }) => name);
    for (const { name, parent, custom } of registrations)
      if (custom) expect([name, names]).toEqual([name, expect.arrayContaining([parent])]);
  });

  it("gives every component inputs of nothing, as they would be kept in state", async () => {
    const { registrations } = await runProgram(VAULT_AUTH);
    for (const { custom, inputs } of registrations) if (!custom) expect(inputs).toEqual({});
  });

  it("names every resource after its component", async () => {
    const { registrations } = await runProgram(VAULT_AUTH);
    for (const { custom, name, parent } of registrations) if (custom) expect(name.startsWith(`${parent}-`)).toBe(true);
  });

  it("sends no plaintext over the wire", async () => {
    const { registrations } = await runProgram();
    const sent = wire(registrations);
    for (const plaintext of [FILE_PLAINTEXT, ENV_PLAINTEXT]) {
      for (const form of ["utf8", "hex", "base64", "base64url"] as const) {
        // Base64 of a text inside another begins at any of three places: its middle is the same.
        const encoded = Buffer.from(plaintext).toString(form);
        expect(sent.includes(encoded.slice(4, -4))).toBe(false);
      }
    }
    expect(sent.includes("token.txt")).toBe(true);
  });

  it("has no machine's path among any inputs", async () => {
    const { registrations } = await runProgram();
    // Where in the program a resource was made is beside its inputs, and no part of a diff.
    for (const { inputs } of registrations) expect(JSON.stringify(inputs)).not.toContain(project.folder);
  });

  it("makes the same of the same configuration", async () => {
    const inputs = ({ registrations }: { registrations: readonly Registration[] }) =>
      registrations.map(({ name, inputs }) => [name, inputs]).sort();
    const before = await runProgram();
    expect(inputs(await runProgram())).toEqual(inputs(before));
  });

  it("names what a region has after stack and region, and finds it under the name that it had before", async () => {
    const region = (location: string) => runProgram({ "azure-native:location": location });
    const { registrations } = await region("westeurope");
    const moved = await region("North Europe");
    const urns = (found: readonly Registration[]) => found.map(({ urn }) => urn);
    const kept = urns(moved.registrations).filter((urn) => urns(registrations).includes(urn));
    const keptNames = kept.map((urn) => urn.split("::").at(-1)).sort();
    expect(keptNames).toEqual(
      [
        "onion-key",
        "onion-key-seal",
        "password",
        "password-seal",
        "sealed-onion-dev",
        "token",
        "token-seal",
        "vault-fingerprint-key",
      ].filter((name) => urns(registrations).some((urn) => urn.endsWith(`::${name}`))),
    );
    for (const { name, custom, options } of moved.registrations)
      if (!custom && ["image", "vault", "vm"].includes(name)) expect(options.aliases).toEqual([name]);
  });

  it("has nothing to do with HashiCorp Vault where that is not configured", async () => {
    const { registrations } = await runProgram();
    expect(registrations.filter(({ type }) => type.startsWith("vault:"))).toEqual([]);
  });
});

describe("its order", () => {
  it("seals once it may, builds once it has sealed, boots once it has built and the VM may open", async () => {
    const { registrations } = await runProgram();
    const waits = (name: string) => find(registrations, name).options.dependsOn;
    expect(waits("token-seal")).toEqual(expect.arrayContaining(["vault-sealer-policy", "vault-key"]));
    const sealed = ["onion-key-seal", "password-seal", "token-seal"];
    expect(waits("system-signing-key")).toEqual(expect.arrayContaining(["vault-sealer-policy", "vault-key"]));
    expect(waits("system-build")).toEqual(expect.arrayContaining([...sealed, "system-signing-key"]));
    expect(waits("image-build")).toEqual(expect.arrayContaining([...sealed, "system-build"]));
    expect(waits("image-upload")).toContain("image-build");
    expect(waits("image-image")).toContain("image-upload");
    expect(waits("system-publish")).toEqual(expect.arrayContaining(["system-container", "image-image"]));
    expect(waits("vm-machine")).toEqual(
      expect.arrayContaining(["vault-machine-policy", "image-image", "system-reader"]),
    );
    expect(waits("vm-serving")).toContain("vm-machine");
    expect(waits("vm-prune")).toContain("vm-serving");
  });
});

describe("the guest's facts", () => {
  const factsIn = (registrations: readonly Registration[]) =>
    (find(registrations, "system-build").inputs.environment as { FACTS: string }).FACTS;

  it("say where everything is and goes, sorted, and hold no secret", async () => {
    const { registrations } = await runProgram();
    const text = factsIn(registrations);
    const place = { group: "root", mode: "0400", owner: "root", restart: [] };
    expect(JSON.parse(text)).toEqual({
      version: 1,
      stack: "dev",
      status: { containerUrl: "https://sodevabcd1234.blob.core.windows.net/status" },
      vault: {
        keyUrl: "https://so-dev-abcd1234.vault.azure.net/keys/sealing-3072/0123456789abcdef0123456789abcdef",
      },
      identity: { clientId: CLIENT_ID },
      update: {
        containerUrl: "https://sodevabcd1234.blob.core.windows.net/systems",
        publicKey: PUBLIC_KEY,
        reboot: "manual",
        keep: 2,
      },
      secrets: {
        "onion-key": { ...place, path: "/run/secrets/onion-key", sealedFile: "onion-key.sops.json" },
        password: { ...place, path: "/run/secrets/password", sealedFile: "password.sops.json" },
        token: {
          path: "/run/secrets/token",
          owner: "web",
          group: "web",
          mode: "0440",
          restart: ["web.service"],
          sealedFile: "token.sops.json",
        },
      },
      services: {
        "onion-key": {
          secret: "onion-key",
          hostname: HOSTNAME,
          ports: { "80": "site" },
          clientAuthorization: [],
          ssh: false,
        },
      },
      guest: {
        adminUser: "operator",
        readyWhenUnsealed: true,
        userDataSecrets: false,
        bootAgent: { checkIn: true, hostname: false, sshKeys: false, entropy: false },
      },
    });
    expect(text.indexOf('"guest"')).toBeLessThan(text.indexOf('"identity"'));
    expect(text.endsWith("}\n")).toBe(true);
  });

  it("say how Vault's agent logs in, where there is one", async () => {
    const { registrations } = await runProgram(VAULT_AUTH);
    expect(JSON.parse(factsIn(registrations)).vaultAgent).toEqual({
      address: "https://vault.example.com:8200",
      mount: "azure",
      role: "web",
      resource: "https://management.azure.com/",
    });
  });
});

describe("its exports", () => {
  it("are what a user needs, known and not secret", async () => {
    const { exports } = await runProgram();
    const { default: _, ...named }: Record<string, unknown> = { ...exports };
    const outputs = Object.entries(named).map(([name, output]) => [name, pulumi.output(output)] as const);
    const values = await Promise.all(outputs.map(async ([name, output]) => [name, await resolved(output)]));
    expect(Object.fromEntries(values)).toEqual({
      onionHostname: HOSTNAME,
      onionHostnames: { "onion-key": HOSTNAME },
      keyUrl: "https://so-dev-abcd1234.vault.azure.net/keys/sealing-3072/0123456789abcdef0123456789abcdef",
      vaultUri: "https://so-dev-abcd1234.vault.azure.net/",
      identityClientId: CLIENT_ID,
      knownHosts: {},
      imageId: `${GROUP_ID}/image-dev-westeurope-image`,
      vmId: `${GROUP_ID}/vm-dev-westeurope-machine`,
      resourceGroup: "sealed-onion-dev",
      deployedBy: expect.stringMatching(/^(User|ServicePrincipal) \S+ of tenant \S+, by az login$/),
    });
    for (const [, output] of outputs) expect(await pulumi.isSecret(output)).toBe(false);
  });

  it("name what known_hosts says of a service that offers SSH, by the key that the stack made for it", async () => {
    const publicKey = "ssh-ed25519 AAAA";
    project.seal("dev", "ssh-host-key", { source: { sshHostKey: {} }, publicKey });
    const services = { shell: { key: "onion-key", ports: { "2222": "127.0.0.1:22", "80": "site" }, ssh: true } };
    const { exports, registrations } = await runProgram({ services, bootAgent: { sshKeys: true } });
    expect(await resolved(exports.knownHosts)).toEqual({ shell: `${HOSTNAME},[${HOSTNAME}]:2222 ${publicKey}` });
    expect(registrations.map(({ name }) => name)).toContain("ssh-host-key-seal");
  });

  it("name the first service's address, whatever its key is called", async () => {
    const services = { web: { key: "onion-key" } };
    const { exports } = await runProgram({ services });
    expect(await resolved(exports.onionHostnames)).toEqual({ web: HOSTNAME });
  });
});

describe("secrets that reach a running VM", () => {
  const imageOf = (registrations: readonly Registration[]) => find(registrations, "image-image").inputs.imageName;
  const userDataOf = (registrations: readonly Registration[]) => find(registrations, "vm-machine").inputs.userData;

  it("change the VM's user data and not its image", async () => {
    const bootAgent = { userDataSecrets: true };
    const before = await runProgram({ bootAgent });
    project.seal("dev", "token", { content: '{"data":"ENC[rotated]","sops":{}}' });
    const after = await runProgram({ bootAgent });
    expect(imageOf(after.registrations)).toBe(imageOf(before.registrations));
    expect(userDataOf(after.registrations)).not.toBe(userDataOf(before.registrations));
  });

  it("make a new image where that is not asked for, nor an update in place", async () => {
    const before = await runProgram({ update: "replace" });
    project.seal("dev", "token", { content: '{"data":"ENC[rotated]","sops":{}}' });
    const after = await runProgram({ update: "replace" });
    expect(imageOf(after.registrations)).not.toBe(imageOf(before.registrations));
    expect(userDataOf(after.registrations)).toBeUndefined();
  });
});

describe("a preview", () => {
  it("runs no command and needs no sealed file", async () => {
    project.remove();
    project = projectFolder();
    project.write("token.txt", FILE_PLAINTEXT);
    const runCommand = vi.fn(() => "{}");
    const { registrations } = await runProgram({}, { preview: true, run: runCommand });
    expect(runCommand).not.toHaveBeenCalled();
    expect(registrations.filter(({ type }) => type === "command:local:Command").map(({ name }) => name)).toEqual(
      expect.arrayContaining(["onion-key-seal", "token-seal", "password-seal"]),
    );
    expect(find(registrations, "vm-machine").type).toBe("azure-native:compute:VirtualMachine");
  });

  it("does not claim to know the address of a key that is yet to be made", async () => {
    const { exports } = await runProgram({}, { preview: true });
    expect(await isKnown(exports.onionHostname)).toBe(false);
  });
});

describe("a production stack", () => {
  const dials = { sealers: [CLIENT.objectId], network: { allow: "everybody" } };

  it("protects what cannot be made again, and nothing else", async () => {
    const { registrations } = await runProgram({ production: true, ...dials });
    const kept = registrations.filter(({ options }) => options.protect).map(({ name }) => name);
    expect(kept.sort()).toEqual(["onion-key-seal", "vault-group", "vault-key", "vault-vault"]);
  });

  it("has a vault that nobody can purge, and is no other in anything else", async () => {
    const inputs = (registrations: readonly Registration[]) => registrations.map(({ name, inputs }) => [name, inputs]);
    const plain = await runProgram({ purgeProtection: true, sealers: [CLIENT.objectId] });
    const production = await runProgram({ production: true, ...dials });
    expect(inputs(production.registrations)).toEqual(inputs(plain.registrations));
  });
});
