import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SealingVault, type SealingVaultArgs } from "../../../components/vault/sealing-vault";
import { DEFAULT_VAULT } from "../../../components/vault/vault";
import { type ProjectFolder, projectFolder } from "../project-folder";
import {
  CLIENT,
  CLIENT_ID,
  FINGERPRINT_KEY,
  find,
  GROUP_ID,
  type MockOptions,
  PRINCIPAL_ID,
  type Registration,
  resolved,
  settled,
  startMocks,
} from "../pulumi-mocks";

const KEY_ID = `${GROUP_ID}/vault-key`;
const SUBSCRIPTION = `/subscriptions/${CLIENT.subscriptionId}`;
const ALICE = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
const ROBOT = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";

async function make(args: Partial<SealingVaultArgs> = {}, options: MockOptions = {}) {
  const registrations = await startMocks(options);
  const vault = new SealingVault("vault", {
    stack: "dev",
    location: "westeurope",
    production: false,
    ...DEFAULT_VAULT,
    ...args,
  });
  await settled();
  return { vault, registrations };
}

function names(registrations: readonly Registration[]): string[] {
  return registrations.map(({ name }) => name).sort();
}

describe("a sealing vault", () => {
  it("makes a vault with soft delete, an explicit authorization mode, and open to no Azure service", async () => {
    const { registrations } = await make();
    expect(find(registrations, "vault-vault").inputs).toEqual({
      vaultName: "so-dev-abcd1234",
      resourceGroupName: "sealed-onion-dev",
      location: "westeurope",
      properties: {
        tenantId: CLIENT.tenantId,
        sku: { family: "A", name: "standard" },
        enableRbacAuthorization: false,
        enableSoftDelete: true,
        softDeleteRetentionInDays: 90,
        enabledForDeployment: false,
        enabledForDiskEncryption: false,
        enabledForTemplateDeployment: false,
        publicNetworkAccess: "enabled",
      },
    });
  });

  it("makes a key that can encrypt and decrypt, and nothing else", async () => {
    const { registrations } = await make();
    expect(find(registrations, "vault-key").inputs).toEqual({
      resourceGroupName: "sealed-onion-dev",
      vaultName: "so-dev-abcd1234",
      keyName: "sealing-3072",
      properties: { kty: "RSA", keySize: 3072, keyOps: ["encrypt", "decrypt"] },
    });
  });

  it("leaves a key that it replaces in the vault, as older images need it and only the data plane could delete it", async () => {
    const { registrations } = await make();
    expect(find(registrations, "vault-key").options.retainOnDelete).toBe(true);
    expect(find(registrations, "vault-vault").options.retainOnDelete).toBe(false);
  });

  it("lets the machine's identity decrypt and nothing else", async () => {
    const { registrations } = await make();
    expect(find(registrations, "vault-machine-policy").inputs).toEqual({
      resourceGroupName: "sealed-onion-dev",
      vaultName: "so-dev-abcd1234",
      policy: { tenantId: CLIENT.tenantId, objectId: PRINCIPAL_ID, permissions: { keys: ["decrypt"] } },
    });
  });

  it("lets the principal that runs up read the key, encrypt and decrypt, if nobody is named", async () => {
    const { registrations } = await make();
    expect(find(registrations, "vault-sealer-policy").inputs).toEqual({
      resourceGroupName: "sealed-onion-dev",
      vaultName: "so-dev-abcd1234",
      policy: {
        tenantId: CLIENT.tenantId,
        objectId: CLIENT.objectId,
        permissions: { keys: ["get", "encrypt", "decrypt"] },
      },
    });
  });

  it("lets exactly those seal who are named", async () => {
    const { registrations, vault } = await make({
      sealers: [
        { objectId: ALICE, type: "User" },
        { objectId: ROBOT, type: "ServicePrincipal" },
      ],
    });
    const policies = registrations.filter(({ type }) => type === "azure-native:keyvault:AccessPolicy");
    expect(names(policies)).toEqual([
      `vault-machine-policy`,
      `vault-sealer-${ALICE}-policy`,
      `vault-sealer-${ROBOT}-policy`,
    ]);
    expect(vault.sealers.map(({ objectId, type }) => [objectId, type])).toEqual([
      [ALICE, "User"],
      [ROBOT, "ServicePrincipal"],
    ]);
  });

  it("changes the vault's policies one at a time, and gives another principal a policy of its own", async () => {
    const { registrations } = await make({ sealers: [{ objectId: ALICE, type: "User" }] });
    const alice = find(registrations, `vault-sealer-${ALICE}-policy`).options;
    const machine = find(registrations, "vault-machine-policy").options;
    expect(alice.dependsOn).toEqual(["vault-group", "vault-guard", "vault-vault"]);
    expect(machine.dependsOn).toEqual(["vault-group", "vault-identity", `vault-sealer-${ALICE}-policy`, "vault-vault"]);
    expect(alice.replaceOnChanges).toEqual(["policy.objectId"]);
  });

  it("says what sealing and what the machine wait for", async () => {
    const { vault } = await make();
    const waitsFor = async (resources: readonly pulumi.Resource[]) =>
      (await Promise.all(resources.map(({ urn }) => resolved(urn)))).map((urn) => urn.split("::").at(-1));
    expect(await waitsFor(vault.sealersReady)).toEqual(["vault-sealer-policy"]);
    expect(await waitsFor(vault.machineReady)).toEqual(["vault-machine-policy"]);
  });

  it("exports the versioned key URL, the vault's URI and the identity", async () => {
    const { vault } = await make();
    expect(await resolved(vault.keyUrl)).toBe(
      "https://so-dev-abcd1234.vault.azure.net/keys/sealing-3072/0123456789abcdef0123456789abcdef",
    );
    expect(await resolved(vault.vaultUri)).toBe("https://so-dev-abcd1234.vault.azure.net/");
    expect(await resolved(vault.resourceGroupName)).toBe("sealed-onion-dev");
    expect(await resolved(vault.identity.clientId)).toBe(CLIENT_ID);
    expect(await resolved(vault.identity.principalId)).toBe(PRINCIPAL_ID);
  });

  it("keeps the key of the fingerprints secret", async () => {
    const { vault, registrations } = await make();
    expect(await pulumi.isSecret(vault.fingerprintKey)).toBe(true);
    expect(await resolved(vault.fingerprintKey)).toBe(FINGERPRINT_KEY);
    expect(await pulumi.isSecret(vault.keyUrl)).toBe(false);
    expect(find(registrations, "vault-fingerprint-key").inputs).toEqual({ length: 32 });
  });

  it("takes its unique name from letters and digits alone", async () => {
    const { registrations } = await make();
    expect(find(registrations, "vault-suffix").inputs).toEqual({ length: 8, upper: false, special: false });
  });
});

describe("a preview", () => {
  let project: ProjectFolder;
  beforeEach(() => {
    project = projectFolder();
  });
  afterEach(() => {
    vi.restoreAllMocks();
    project.remove();
  });

  it.each([
    ["another vault", "so-dev-old00000", 1],
    ["no vault, as it is sealed for people alone", undefined, 0],
  ])("warns where what is sealed is for %s", async (_, vault, times) => {
    const kv = vault === undefined ? [] : [{ vault_url: `https://${vault}.vault.azure.net` }];
    project.seal("dev", "onion", { content: JSON.stringify({ data: "ENC[x]", sops: { azure_kv: kv } }) });
    const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
    await make({}, { preview: true });
    await vi.waitFor(() => expect(warn).toHaveBeenCalledTimes(times));
    for (const [message] of warn.mock.calls)
      expect(message).toBe(
        "another vault is to open what vault so-dev-old00000 opens: sealed files are re-wrapped, and so-dev-old00000 goes once git has them; older commits then need another recipient",
      );
  });
});

describe("its dials", () => {
  it("keySize makes another key, not another size of the same", async () => {
    const { registrations } = await make({ keySize: 4096 });
    const { keyName, properties } = find(registrations, "vault-key").inputs;
    expect(keyName).toBe("sealing-4096");
    expect(properties).toMatchObject({ keySize: 4096 });
  });

  it("keyProtection hsm makes a key in hardware, in a vault of the premium tier", async () => {
    const { registrations } = await make({ keyProtection: "hsm" });
    expect(find(registrations, "vault-key").inputs).toMatchObject({
      keyName: "sealing-3072-hsm",
      properties: { kty: "RSA-HSM" },
    });
    expect(find(registrations, "vault-vault").inputs).toMatchObject({ properties: { sku: { name: "premium" } } });
  });

  it("purgeProtection is on or not said at all, as Azure refuses false", async () => {
    const on = await make({ purgeProtection: true });
    expect(find(on.registrations, "vault-vault").inputs).toMatchObject({ properties: { enablePurgeProtection: true } });
    const off = await make({ purgeProtection: false });
    expect(find(off.registrations, "vault-vault").inputs.properties).not.toHaveProperty("enablePurgeProtection");
  });

  it("softDeleteDays is passed on", async () => {
    const { registrations } = await make({ softDeleteDays: 7 });
    expect(find(registrations, "vault-vault").inputs).toMatchObject({ properties: { softDeleteRetentionInDays: 7 } });
  });

  it("production protects group, vault and key, and nothing that can be made again", async () => {
    const { registrations } = await make({ production: true });
    const protectedNames = registrations.filter(({ options }) => options.protect);
    expect(names(protectedNames)).toEqual(["vault-group", "vault-key", "vault-vault"]);
    const { registrations: others } = await make();
    expect(others.filter(({ options }) => options.protect)).toEqual([]);
  });
});

describe("authorization by roles", () => {
  it("has no policies, and a vault that looks at roles", async () => {
    const { registrations } = await make({ authorization: "rbac" });
    expect(names(registrations)).toEqual([
      "vault",
      "vault-fingerprint-key",
      "vault-group",
      "vault-guard",
      "vault-identity",
      "vault-key",
      "vault-machine-assignment",
      "vault-machine-role",
      "vault-sealer-assignment",
      "vault-sealer-role",
      "vault-suffix",
      "vault-vault",
    ]);
    expect(find(registrations, "vault-vault").inputs).toMatchObject({ properties: { enableRbacAuthorization: true } });
  });

  it("defines roles with the same rights as the policies, and no more", async () => {
    const { registrations } = await make({ authorization: "rbac" });
    const rights = (name: string) => find(registrations, name).inputs.permissions;
    const keys = "Microsoft.KeyVault/vaults/keys";
    const none = { actions: [], notActions: [], notDataActions: [] };
    expect(rights("vault-machine-role")).toEqual([{ ...none, dataActions: [`${keys}/decrypt/action`] }]);
    expect(rights("vault-sealer-role")).toEqual([
      { ...none, dataActions: [`${keys}/read`, `${keys}/encrypt/action`, `${keys}/decrypt/action`] },
    ]);
  });

  it("defines them for the stack's resource group, under names that no other stack has", async () => {
    const { registrations } = await make({ authorization: "rbac" });
    const role = find(registrations, "vault-machine-role");
    expect(role.inputs).toMatchObject({
      scope: GROUP_ID,
      assignableScopes: [GROUP_ID],
      roleName: "Sealed Onion Opener (so-dev-abcd1234)",
      roleType: "CustomRole",
    });
    expect(role.inputs.roleDefinitionId).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  it("assigns them on the key itself", async () => {
    const { registrations } = await make({ authorization: "rbac" });
    const role = find(registrations, "vault-machine-role").inputs.roleDefinitionId;
    expect(find(registrations, "vault-machine-assignment").inputs).toEqual({
      scope: KEY_ID,
      principalId: PRINCIPAL_ID,
      principalType: "ServicePrincipal",
      roleDefinitionId: `${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/${role}`,
      roleAssignmentName: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  it("tells Azure that somebody who came through the CLI is a user, and anybody else a program", async () => {
    const program = await make({ authorization: "rbac" });
    expect(find(program.registrations, "vault-sealer-assignment").inputs.principalType).toBe("ServicePrincipal");
    const clientId = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
    const person = await make({ authorization: "rbac" }, { client: { clientId } });
    expect(find(person.registrations, "vault-sealer-assignment").inputs.principalType).toBe("User");
  });

  it("gives every assignment a name of its own", async () => {
    const { registrations } = await make({ authorization: "rbac", sealers: [{ objectId: ALICE, type: "User" }] });
    const assigned = registrations.filter(({ type }) => type === "azure-native:authorization:RoleAssignment");
    expect(new Set(assigned.map(({ inputs }) => inputs.roleAssignmentName)).size).toBe(2);
  });
});
