import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { configure, said, startStack, type TestStack } from "./test-stack";

// Each of these is an update or two, with its preview.
vi.setConfig({ testTimeout: 180_000 });

const place = { resourceGroupName: "hub" };
const BLOB_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";
const BLOB_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1";
const CRYPTO_USER = "12338af0-0e69-4776-bea7-57ae8d297424";

let stack: TestStack;
let machine: { id: string; principalId: string };
beforeEach(async () => {
  stack = startStack();
  await stack.make("resources:ResourceGroup", { ...place, location: "westeurope" });
  const id = await stack.make("managedidentity:UserAssignedIdentity", { ...place, resourceName: "hub-identity" });
  machine = { id, principalId: `${stack.cloud.get(id)?.properties.principalId}` };
});
afterEach(() => stack.close());

const hub = () => `/subscriptions/${stack.cloud.subscriptionId}/resourceGroups/hub`;
const me = () => stack.sealer.replace("servicePrincipal:", "");
let number = 0;

/** Grants a role as somebody else would, and answers the assignment's id. */
function grant(principalId: string, role: string, scope = hub()): Promise<string> {
  number += 1;
  return stack.make("authorization:RoleAssignment", {
    ...{ scope, principalId, principalType: "ServicePrincipal" },
    roleAssignmentName: `01234567-89ab-4def-8123-${`${number}`.padStart(12, "0")}`,
    roleDefinitionId: `/subscriptions/${stack.cloud.subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${role}`,
  });
}

const assignments = () => stack.cloud.list({ type: "Microsoft.Authorization/roleAssignments" });

async function up(settings: Readonly<Record<string, unknown>>): Promise<string[]> {
  const existing = { resourceGroup: "hub", identity: machine.id };
  await stack.engine.setConfig(configure({ existing, status: true, ...settings }));
  return said(stack.engine);
}

async function problem(settings: Readonly<Record<string, unknown>>): Promise<string> {
  const error: unknown = await up(settings).catch((refused: unknown) => refused);
  expect(stack.cloud.list({ type: "Microsoft.KeyVault/vaults" })).toEqual([]);
  return `${(error as Error).message}`;
}

describe("grants that somebody else made", () => {
  it("are checked, and none is made beside them, nor a role", async () => {
    const grants = [
      await grant(me(), BLOB_CONTRIBUTOR),
      await grant(me(), CRYPTO_USER),
      await grant(machine.principalId, BLOB_CONTRIBUTOR),
      await grant(machine.principalId, CRYPTO_USER),
    ];
    const made = await up({ grants, authorization: "rbac" });
    expect(made.filter((change) => /assignment|role|blobs|writer/.test(change))).toEqual([]);
    expect(assignments().map(({ id }) => id)).toEqual(expect.arrayContaining(grants));
    expect(assignments()).toHaveLength(4);
    expect(await up({ grants, authorization: "rbac" })).toEqual([]);
    await stack.engine.destroy();
    expect(assignments()).toHaveLength(4);
  });

  it("leave a vault's own policies to the program, which are no role assignments", async () => {
    const grants = [await grant(me(), BLOB_CONTRIBUTOR), await grant(machine.principalId, BLOB_CONTRIBUTOR)];
    expect(await up({ grants })).toContain("create vault-machine-policy");
    expect(assignments()).toHaveLength(2);
  });

  it("that lack something are refused before anything is made, with who, what and where", async () => {
    const grants = [await grant(machine.principalId, BLOB_READER), await grant(me(), CRYPTO_USER)];
    const said = await problem({ grants, authorization: "rbac" });
    const lacks = (who: string, principal: string, role: string) =>
      `grants: none of them lets ${who} do what "${role}" does on ${hub()}: have somebody type az role assignment create --assignee-object-id ${principal} --role "${role}" --scope ${hub()}, and add the id`;
    expect(said).toContain(lacks("the machine's identity", machine.principalId, "Key Vault Crypto User"));
    expect(said).toContain(lacks("the machine's identity", machine.principalId, "Storage Blob Data Contributor"));
    expect(said).toContain(lacks(`sealer ${me()}`, me(), "Storage Blob Data Contributor"));
    expect(said).not.toContain(lacks(`sealer ${me()}`, me(), "Key Vault Crypto User"));
  });

  it("let the machine read the systems that it takes in place, also where it writes no status", async () => {
    const grants = [await grant(me(), BLOB_CONTRIBUTOR)];
    const inPlace = { grants, status: false, update: "inPlace" };
    expect(await problem(inPlace)).toContain(
      `none of them lets the machine's identity do what "Storage Blob Data Reader" does on ${hub()}`,
    );
    const made = await up({ ...inPlace, grants: [...grants, await grant(machine.principalId, BLOB_READER)] });
    expect(made.filter((change) => /reader|writer|blobs/.test(change))).toEqual([]);
  });

  it("that are not there are said to be so", async () => {
    const id = `${hub()}/providers/Microsoft.Authorization/roleAssignments/01234567-89ab-4def-8123-999999999999`;
    expect(await problem({ grants: [id] })).toContain(
      "grants: role assignment 01234567-89ab-4def-8123-999999999999 does not exist: remove it from sealed-onion:grants",
    );
  });
});

describe("an upload of one's own", () => {
  it("needs no grant on blobs, and none is made for it", async () => {
    const made = await up({ image: { upload: "own" } });
    expect(made.filter((change) => change.endsWith("-blobs"))).toEqual([]);
    expect(made).toContain("create vm-status-writer");
  });
});
