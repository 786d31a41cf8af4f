import * as fs from "node:fs";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Engine } from "../../rehearsal/engine/engine";
import { NEW_IMAGE, NEW_VM } from "../../rehearsal/engine/story-tools";
import { configure, said, startStack, type TestStack } from "./test-stack";

// Each of these is two updates and a preview.
vi.setConfig({ testTimeout: 180_000 });

let stack: TestStack;
let folder: string;
let engine: Engine;
/** As whom the program runs, in the configuration's spelling. */
let sealer: string;
let teammate: string;

beforeEach(() => {
  stack = startStack();
  ({ folder, engine, sealer, teammate } = stack);
});
afterEach(() => stack.close());

function fail(): never {
  throw new Error("there is no such resource");
}

/** As resources are named after a sealer. */
function nameOf(principal: string): string {
  return principal.replace("servicePrincipal:", "sealer-");
}

/** What a preview says of a change, after checking that `up` does just that. */
async function changesBy(change: Readonly<Record<string, unknown>>, before: Readonly<Record<string, unknown>> = {}) {
  await engine.setConfig(configure(before));
  await engine.up();
  await engine.setConfig(configure({ ...before, ...change }));
  return said(engine);
}

describe("a diff is what is done, and no more than was asked for", () => {
  it("a changed secret with a disk that was built elsewhere: the build looks at the disk, the VM stays", async () => {
    fs.writeFileSync(path.join(folder, "disk.vhd"), "a disk");
    await engine.setConfig(configure({ image: { vhd: "disk.vhd" } }));
    await engine.up();
    fs.writeFileSync(path.join(folder, "token.txt"), "another token");
    expect(await said(engine)).toEqual(["update image-build", "update image-upload", "update token-seal"]);
  });

  it("nothing, where nothing changed", async () => {
    expect(await changesBy({})).toEqual([]);
  });

  it.each<[title: string, change: Record<string, unknown>, expected: string[]]>([
    ["purge protection", { purgeProtection: true }, ["update vault-vault"]],
    ["a larger VM", { vmSize: "Standard_B2ms" }, ["update vm-machine"]],
    ["more images to keep", { image: { keep: 5 } }, ["update vm-prune"]],
    ["an ephemeral disk", { ephemeralOsDisk: true, vmSize: "Standard_D2ds_v5" }, NEW_VM],
    [
      "a NAT gateway",
      { outbound: "natGateway" },
      ["create vm-gateway", "create vm-gateway-address", "delete vm-address", "update vm-card", "update vm-subnet"],
    ],
    ["a data disk", { dataDisk: { sizeGib: 32 } }, ["create vm-data", ...NEW_IMAGE]],
    ["another operator", { adminUser: "alice" }, NEW_IMAGE],
    [
      "a machine that tells how it is",
      { status: true },
      ["create vm-serving", "create vm-status", "create vm-status-writer", ...NEW_IMAGE],
    ],
    ["another port", { services: { web: { key: "onion-key", ports: { "8080": "site" } } } }, NEW_IMAGE],
    ["a switch of the boot agent", { bootAgent: { hostname: true } }, NEW_IMAGE],
    [
      "one more recipient",
      { recipients: { pgp: ["0123456789ABCDEF0123456789ABCDEF01234567"] } },
      ["update onion-key-seal", "update token-seal", ...NEW_IMAGE],
    ],
    [
      "a secret that is no longer declared",
      { secrets: { "onion-key": { source: { onion: {} } } } },
      ["delete token-seal", ...NEW_IMAGE],
    ],
    [
      "a renamed secret",
      {
        secrets: { "onion-key": { source: { onion: {} } }, password: { source: { file: "token.txt" }, from: "token" } },
      },
      ["update password-seal", ...NEW_IMAGE],
    ],
    [
      "a longer key",
      { keySize: 3072 },
      [
        "create-replacement vault-key",
        "delete-replaced vault-key",
        "replace vault-key",
        "update onion-key-seal",
        "update token-seal",
        ...NEW_IMAGE,
      ],
    ],
    [
      "roles in place of policies",
      { authorization: "rbac" },
      [
        "create vault-machine-assignment",
        "create vault-machine-role",
        "create vault-sealer-assignment",
        "create vault-sealer-role",
        "delete vault-machine-policy",
        "delete vault-sealer-policy",
        "update vault-vault",
      ],
    ],
  ])("%s", async (_, change, expected) => {
    expect(await changesBy(change)).toEqual([...expected].sort());
  });

  it("another machine, which has to serve before the one before it goes", async () => {
    expect(await changesBy({ adminUser: "alice" }, { status: true })).toEqual(
      [...NEW_IMAGE, "update vm-serving"].sort(),
    );
  });

  it("purge protection, where a stack is marked as production, and nothing where it no longer is", async () => {
    expect(await changesBy({ production: true, network: { allow: "everybody" } }, { sealers: [sealer] })).toEqual([
      "update vault-vault",
    ]);
    await engine.setConfig(configure({ sealers: [sealer] }));
    expect(await said(engine)).toEqual([]);
  });

  it("tags on every resource that takes them, in place: no new image, no new VM", async () => {
    const tagged = ["image-account", "image-image", "vault-group", "vault-vault"];
    const network = ["vm-address", "vm-card", "vm-firewall", "vm-machine", "vm-network"];
    expect(await changesBy({ tags: { team: "web" } })).toEqual([...tagged, ...network].map((name) => `update ${name}`));
  });

  it("no other time for a deleted vault: it is refused in one line, before anything is touched", async () => {
    await engine.setConfig(configure());
    await engine.up();
    await engine.setConfig(configure({ softDeleteDays: 7, vmSize: "Standard_B2ms" }));
    const line =
      /softDeleteDays is fixed once the vault exists, this one has 90, got 7: set sealed-onion:softDeleteDays to 90/;
    await expect(engine.preview()).rejects.toThrow(line);
    await engine.setConfig(configure());
    expect(await said(engine)).toEqual([]);
  });

  it("nothing, where the principal that ran up is named", async () => {
    expect(await changesBy({ sealers: [sealer] })).toEqual([]);
  });

  it.each(["accessPolicy", "rbac"])(
    "nothing, where the principal that runs up is named no longer (%s)",
    async (authorization) => {
      expect(await changesBy({ sealers: [] }, { authorization, sealers: [sealer] })).toEqual([]);
    },
  );

  it("a teammate who may seal and upload, too", async () => {
    expect(await changesBy({ sealers: [sealer, teammate] })).toEqual([
      `create image-${nameOf(teammate)}-blobs`,
      `create vault-${nameOf(teammate)}-policy`,
    ]);
  });

  it.each(["accessPolicy", "rbac"])(
    "a teammate who is named first, and then the only one (%s)",
    async (authorization) => {
      const kind = authorization === "rbac" ? "assignment" : "policy";
      const grantsOf = (name: string) => [`image-${name}-blobs`, `vault-${name}-${kind}`];
      const own = grantsOf(nameOf(sealer));
      expect(await changesBy({ sealers: [teammate, sealer] }, { authorization })).toEqual(
        [
          ...grantsOf(nameOf(teammate)).flatMap((name) => [`create-replacement ${name}`, `replace ${name}`]),
          ...grantsOf("sealer").map((name) => `delete-replaced ${name}`),
          ...own.map((name) => `create ${name}`),
        ].sort(),
      );
      await engine.setConfig(configure({ authorization, sealers: [teammate] }));
      expect(await said(engine)).toEqual(own.map((name) => `delete ${name}`));
    },
  );

  it("one more recipient, where sealed files go to the running VM: no new image", async () => {
    const recipients = { pgp: ["0123456789ABCDEF0123456789ABCDEF01234567"] };
    expect(await changesBy({ recipients }, { bootAgent: { userDataSecrets: true } })).toEqual([
      "update onion-key-seal",
      "update token-seal",
      "update vm-machine",
    ]);
  });

  it("a gallery in place of a managed image: that, and a VM from there", async () => {
    expect(await changesBy({ image: { publish: "gallery" } })).toEqual(
      [
        ...["image-gallery", "image-definition", "image-version"].map((name) => `create ${name}`),
        "delete image-image",
        ...NEW_VM,
      ].sort(),
    );
  });

  it("another region for a gallery's image: its version, in place", async () => {
    const regions = (...names: string[]) => ({
      image: { publish: "gallery", targetRegions: names.map((name) => ({ name })) },
    });
    expect(await changesBy(regions("westeurope", "northeurope"), regions("westeurope"))).toEqual([
      "update image-version",
    ]);
  });

  it("a changed plaintext: that secret, the image and the VM", async () => {
    await engine.up();
    fs.writeFileSync(path.join(folder, "token.txt"), "another token");
    expect(await said(engine)).toEqual([...NEW_IMAGE, "update token-seal"].sort());
  });

  it("a changed plaintext that goes to the running VM: that secret and the VM's user data", async () => {
    await engine.setConfig(configure({ bootAgent: { userDataSecrets: true } }));
    await engine.up();
    fs.writeFileSync(path.join(folder, "token.txt"), "another token");
    expect(await said(engine)).toEqual(["update token-seal", "update vm-machine"]);
  });

  it("an identity that was taken from the VM by hand: a refresh sees it, and it comes back", async () => {
    await engine.up();
    const id = String((await engine.outputs()).vmId);
    const { identity, ...without } = stack.cloud.get(id) ?? fail();
    stack.cloud.put({ ...without, id });
    await engine.refresh();
    expect(await said(engine)).toEqual(["update vm-machine"]);
    expect(stack.cloud.get(id)?.identity).toEqual(identity);
  });

  it("the end of a renaming: its command alone, as what is sealed stays", async () => {
    const password = { source: { file: "token.txt" } };
    const secrets = (declaration: object) => ({
      secrets: { "onion-key": { source: { onion: {} } }, password: declaration },
    });
    expect(await changesBy(secrets(password), secrets({ ...password, from: "token" }))).toEqual([
      "update password-seal",
    ]);
  });

  it("an older sealed file from git: the image and the VM, no new seal", async () => {
    await engine.up();
    const stack = path.join(folder, "nix", "stacks", "dev");
    const older = path.join(folder, "older");
    fs.cpSync(stack, older, { recursive: true });
    fs.writeFileSync(path.join(folder, "token.txt"), "another token");
    await engine.up();
    fs.cpSync(older, stack, { recursive: true });
    expect(await said(engine)).toEqual([...NEW_IMAGE].sort());
  });
});
