import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCloud } from "../cloud";
import { assignment, roleId } from "../fixture";
import { coversOperation, isAllowed, permits } from "./authorization";
import { BUILT_IN_ROLES, builtInRole } from "./role-definitions";

const KEYS = "Microsoft.KeyVault/vaults/keys";
const BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs";

describe("operation patterns", () => {
  it.each<[pattern: string, operation: string, covered: boolean]>([
    ["*", `${KEYS}/decrypt/action`, true],
    ["*/read", "Microsoft.Compute/virtualMachines/read", true],
    ["*/read", "Microsoft.Compute/virtualMachines/write", false],
    ["Microsoft.Compute/virtualMachines/*/read", "Microsoft.Compute/virtualMachines/extensions/read", true],
    ["Microsoft.Compute/virtualMachines/*/read", "Microsoft.Compute/virtualMachines/read", true],
    ["Microsoft.Compute/virtualMachines/*/read", "Microsoft.Compute/virtualMachinesX/read", false],
    ["microsoft.keyvault/vaults/keys/DECRYPT/action", `${KEYS}/decrypt/action`, true],
    [`${KEYS}/decrypt/action`, `${KEYS}/decrypt/action/more`, false],
    [`${KEYS}/decrypt`, `${KEYS}/decrypt/action`, false],
    ["", `${KEYS}/read`, false],
  ])("%s and %s: %s", (pattern, operation, covered) => {
    expect(coversOperation(pattern, operation)).toBe(covered);
  });

  it("cover what an expression made of them covers", () => {
    const letters = fc.constantFrom("a", "b", "/", "*");
    const pattern = fc.array(letters, { maxLength: 8 }).map((parts) => parts.join(""));
    const operation = fc.array(fc.constantFrom("a", "b", "/"), { maxLength: 10 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(pattern, operation, (wanted, text) => {
        const forms = [wanted, wanted.replaceAll("/*/", "/")];
        const expected = forms.some((form) => new RegExp(`^${form.replaceAll("*", ".*")}$`).test(text));
        expect(coversOperation(wanted, text)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it("never cover more with an exclusion than without", () => {
    const operations = fc.constantFrom(`${KEYS}/read`, `${KEYS}/decrypt/action`, `${BLOBS}/write`);
    const patterns = fc.array(fc.constantFrom("*", "*/read", `${KEYS}/*`, `${BLOBS}/write`), { maxLength: 3 });
    fc.assert(
      fc.property(patterns, patterns, operations, (dataActions, notDataActions, dataAction) => {
        const narrow = permits({ dataActions, notDataActions }, { dataAction });
        expect(narrow && !permits({ dataActions }, { dataAction })).toBe(false);
        expect(narrow && notDataActions.some((pattern) => coversOperation(pattern, dataAction))).toBe(false);
      }),
    );
  });
});

describe("built-in roles", () => {
  it.each<[role: string, operation: { action?: string; dataAction?: string }, permitted: boolean]>([
    ["Owner", { action: "Microsoft.KeyVault/vaults/write" }, true],
    ["Owner", { dataAction: `${KEYS}/decrypt/action` }, false],
    ["Contributor", { action: "Microsoft.Authorization/roleAssignments/write" }, false],
    ["Contributor", { action: "Microsoft.Authorization/roleAssignments/read" }, true],
    ["Reader", { action: "Microsoft.Compute/virtualMachines/read" }, true],
    ["Key Vault Crypto User", { dataAction: `${KEYS}/decrypt/action` }, true],
    ["Key Vault Crypto User", { dataAction: `${KEYS}/create/action` }, false],
    ["Key Vault Crypto Officer", { dataAction: `${KEYS}/create/action` }, true],
    ["Key Vault Crypto Service Encryption User", { dataAction: `${KEYS}/decrypt/action` }, false],
    ["Key Vault Crypto Service Encryption User", { dataAction: `${KEYS}/unwrap/action` }, true],
    ["Key Vault Reader", { dataAction: `${KEYS}/read` }, true],
    ["Key Vault Administrator", { dataAction: `${KEYS}/encrypt/action` }, true],
    ["Storage Blob Data Reader", { dataAction: `${BLOBS}/write` }, false],
    ["Storage Blob Data Contributor", { dataAction: `${BLOBS}/write` }, true],
    ["Storage Blob Data Owner", { dataAction: `${BLOBS}/manageOwnership/action` }, true],
  ])("%s: %j %s", (name, operation, permitted) => {
    const role = BUILT_IN_ROLES.find((known) => known.roleName === name);
    expect(role?.permissions.some((permission) => permits(permission, operation))).toBe(permitted);
  });

  it("have ids of their own, found without case", () => {
    expect(new Set(BUILT_IN_ROLES.map(({ guid }) => guid)).size).toBe(BUILT_IN_ROLES.length);
    for (const { guid } of BUILT_IN_ROLES) expect(builtInRole(guid.toUpperCase())?.guid).toBe(guid);
  });
});

describe("assignments", () => {
  const reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
  const action = "Microsoft.Compute/virtualMachines/read";

  it("reach down from their scope and never up or sideways", () => {
    const part = fc.constantFrom("a", "b");
    const scope = fc.array(part, { maxLength: 4 }).map((parts) => parts.map((one) => `/${one}`).join(""));
    fc.assert(
      fc.property(scope, scope, (where, resource) => {
        const cloud = createCloud();
        cloud.put(assignment(where, "me", roleId(cloud, reader)));
        expect(isAllowed(cloud, ["ME"], resource, { action })).toBe(`${resource}/`.startsWith(`${where}/`));
        expect(isAllowed(cloud, ["you"], resource, { action })).toBe(false);
      }),
    );
  });

  it("end when they are removed, after the propagation time", () => {
    let now = 0;
    const cloud = createCloud({ now: () => now, propagation: { rolesMs: 100 } });
    const { id } = cloud.put(assignment("/a", "me", roleId(cloud, reader)));
    expect(isAllowed(cloud, ["me"], "/a/b", { action })).toBe(false);
    now = 100;
    expect(isAllowed(cloud, ["me"], "/a/b", { action })).toBe(true);
    cloud.remove(id);
    expect(cloud.get(id)).toBeUndefined();
    expect(isAllowed(cloud, ["me"], "/a/b", { action })).toBe(true);
    now = 200;
    expect(isAllowed(cloud, ["me"], "/a/b", { action })).toBe(false);
  });

  it("of a role that nobody knows grant nothing", () => {
    const cloud = createCloud();
    cloud.put(assignment("/a", "me", roleId(cloud, "12121212-1212-4212-8212-121212121212")));
    expect(isAllowed(cloud, ["me"], "/a", { action })).toBe(false);
  });
});
