import * as fs from "node:fs";
import * as path from "node:path";
import type { FaultEffect } from "loopback-azure/gateway/faults";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { findOnPath } from "../../../../components/process/find-program";
import { type Run, type Sealing, startSealing } from "../sealing";

const host = "test-vault.vault.azure.net";
const noSops = !findOnPath("sops");
const why = noSops ? " (skipped: needs sops on PATH)" : "";

describe.skipIf(noSops)(`when Key Vault fails, seal${why}`, () => {
  let sealing: Sealing;
  let before: Buffer;
  const sealed = "nix/stacks/dev/token.sops.json";

  beforeAll(async () => {
    sealing = await startSealing();
    sealing.write("token", "the old value");
    const run = await sealing.run({ name: "token", source: { file: "token" } });
    expect(run).toMatchObject({ code: 0, stderr: "" });
    before = sealing.read(sealed);
  });
  afterEach(() => sealing.azure.faults.clear());
  afterAll(() => sealing.close());

  /** Seals a changed value; the previous sealed file and its record must stand if that fails. */
  async function change(environment: NodeJS.ProcessEnv = {}, patience = 2): Promise<Run> {
    sealing.write("token", "the new value");
    const record = sealing.record("token");
    const run = await sealing.run(
      { name: "token", source: { file: "token" } },
      { environment: { SEAL_PATIENCE_SECONDS: String(patience), ...environment } },
    );
    if (run.code !== 0) {
      expect(sealing.read(sealed)).toEqual(before);
      expect(sealing.record("token")).toEqual(record);
      expect(run.stdout).toBe("");
      expect(`${run.stderr}`).not.toContain("new value");
    }
    before = sealing.read(sealed);
    return run;
  }

  async function changeWith(effect: FaultEffect, patience?: number): Promise<Run & { seconds: number }> {
    const fault = sealing.azure.faults.add({ host, path: /encrypt/, effect });
    const start = Date.now();
    const run = await change({}, patience);
    const seconds = (Date.now() - start) / 1000;
    expect(fault.hits).toBeGreaterThan(0);
    return { ...run, seconds };
  }

  it.each([
    [401, "AKV10032", "log in again, in the tenant of the vault"],
    [404, "KeyNotFound", "recover it with az keyvault key recover"],
  ])("gives up at once on %i, with Azure's reason", async (status, code, remedy) => {
    const run = await changeWith({ kind: "answer", status, code, message: "no such tenant" }, 60);
    expect(run.code).toBe(1);
    expect(run.stderr).toContain(`token: cannot seal: Key Vault answers ${status} ${code}: no such tenant`);
    expect(run.stderr).toContain(`: ${remedy}`);
    expect(run.seconds).toBeLessThan(20);
  });

  it.each([
    [429, "Key Vault answers 429 Too Many Requests: try again later"],
    [500, "Key Vault answers 500 Internal Server Error: try again later"],
    [503, "Key Vault answers 503 Service Unavailable: try again later"],
  ])("gives up in bounded time while the vault says %i, with Azure's reason", async (status, expected) => {
    const run = await changeWith({ kind: "answer", status });
    expect(run).toMatchObject({ code: 1 });
    expect(run.stderr).toContain(expected);
    expect(run.seconds).toBeLessThan(20);
  });

  it("gives up in bounded time when asked to wait for an hour", async () => {
    const run = await changeWith({ kind: "answer", status: 429, retryAfterSeconds: 3600 }, 600);
    expect(run.stderr).toContain("Key Vault answers 429");
    expect(run.seconds).toBeLessThan(20);
  });

  it("gives up in bounded time on a vault that never answers", async () => {
    const run = await changeWith({ kind: "hang" });
    expect(run.stderr).toContain("Key Vault does not answer in time: check the network");
    expect(run.seconds).toBeLessThan(20);
  });

  it("gives up in bounded time on a connection that is always reset", async () => {
    const run = await changeWith({ kind: "reset" });
    expect(run.stderr).toContain("Key Vault cannot be reached: ");
    expect(run.seconds).toBeLessThan(20);
  });

  it("says that the host cannot be reached", async () => {
    sealing.azure.faults.add({ host, effect: { kind: "unreachable" } });
    const run = await change();
    expect(run.code).toBe(1);
    expect(run.stderr).toContain("Key Vault cannot be reached: Bad Gateway");
  });

  it("shows Key Vault's own words when a policy is missing, who acts, and what to add for exactly that one", async () => {
    sealing.allow([]);
    const run = await change();
    sealing.allow(["get", "encrypt", "decrypt"]);
    expect(run.code).toBe(1);
    expect(run.stderr).toContain("does not have keys encrypt permission on key vault 'test-vault;location=westeurope'");
    const { objectId, tenantId } = sealing.azure.workstation.principal;
    expect(run.stderr).toContain(`(object id ${objectId}, tenant ${tenantId}, by AZURE_CLIENT_SECRET)`);
    expect(run.stderr).toContain(`add servicePrincipal:${objectId} to sealed-onion:sealers`);
  });

  it("shows Entra's own words when the credentials are wrong, and not the credentials", async () => {
    const run = await change({ AZURE_CLIENT_SECRET: "wrong-client-secret" });
    expect(run.stderr).toContain("Entra refuses AZURE_CLIENT_SECRET: AADSTS7000215: Invalid client secret provided");
    expect(run.stderr).not.toContain("wrong-client-secret");
  });

  it("says how to log in where there are no credentials", async () => {
    const none = { AZURE_CLIENT_SECRET: undefined, AZURE_CLIENT_ID: undefined, AZURE_TENANT_ID: undefined };
    const run = await change(none, 60);
    expect(run.stderr).toContain("no Azure credentials are at hand (az is not on PATH");
    expect(run.stderr).toContain("log in with az login, or set ARM_CLIENT_ID");
  });

  it("says how to get sops where there is none", async () => {
    const folder = path.join(sealing.folder, "bin");
    fs.mkdirSync(folder);
    for (const program of ["cat", "sh"]) fs.symlinkSync(findOnPath(program) ?? "", path.join(folder, program));
    const run = await change({ PATH: folder });
    expect(run.stderr).toBe("token: sops is not on PATH: take it from https://github.com/getsops/sops/releases\n");
  });

  it("says what is wrong with its patience", async () => {
    const run = await change({ SEAL_PATIENCE_SECONDS: "soon" });
    expect(run.stderr).toBe('token: SEAL_PATIENCE_SECONDS must be a number of seconds, got "soon"\n');
  });

  it.each<[string, FaultEffect, number]>([
    ["two answers of 503", { kind: "answer", status: 503 }, 2],
    ["a 429 with Retry-After", { kind: "answer", status: 429, retryAfterSeconds: 1 }, 1],
    ["a reset connection", { kind: "reset" }, 1],
    ["an answer that was lost", { kind: "loseAnswer" }, 1],
    ["a slow vault", { kind: "delay", milliseconds: 1500 }, 1],
    ["a policy that is not yet in effect", { kind: "answer", status: 403, code: "Forbidden" }, 2],
  ])("gets over %s", async (_, effect, times) => {
    const fault = sealing.azure.faults.add({ host, path: /encrypt/, times, effect });
    const run = await change({}, 60);
    expect(fault.hits).toBe(times);
    expect(run).toMatchObject({ code: 0, result: { action: "sealed" } });
  });

  it.each<[string, FaultEffect]>([
    ["503 of Entra", { kind: "answer", status: 503 }],
    [
      "Entra's AADSTS90033",
      { kind: "answer", status: 400, code: "invalid_request", message: "AADSTS90033: A transient error has occurred." },
    ],
  ])("gets over %s, which passes", async (_, effect) => {
    const fault = sealing.azure.faults.add({ host: "login.microsoftonline.com", path: /\/token/, times: 5, effect });
    const run = await change({}, 60);
    expect(fault.hits).toBe(5);
    expect(run).toMatchObject({ code: 0, result: { action: "sealed" } });
  });

  it("never seals as another one than is named, no matter who else is logged in", async () => {
    const { AZURE_TENANT_ID, AZURE_CLIENT_ID } = sealing.azure.workstation.env;
    const named = { ARM_TENANT_ID: AZURE_TENANT_ID, ARM_CLIENT_ID: AZURE_CLIENT_ID };
    const run = await change({ ...named, ARM_CLIENT_CERTIFICATE_PATH: "/nowhere/cert.pem" });
    expect(run.code).toBe(1);
    expect(run.stderr).toBe(
      "token: cannot seal: /nowhere/cert.pem of ARM_CLIENT_CERTIFICATE_PATH does not exist: " +
        "correct ARM_CLIENT_CERTIFICATE_PATH\n",
    );
    const unproved = await change(named);
    expect(unproved.stderr).toContain(`ARM_CLIENT_ID names ${AZURE_CLIENT_ID}, and nothing that is set proves it`);
  });

  it("names both tenants where the vault is of another one", async () => {
    const { cloud, workstation } = sealing.azure;
    const vault = cloud.vault("test-vault");
    if (vault === undefined) throw new Error("there is no vault");
    const other = "99999999-8888-4777-8666-555555555555";
    cloud.put({ ...vault, properties: { ...vault.properties, tenantId: other } });
    const run = await change({}, 60);
    sealing.allow(["get", "encrypt", "decrypt"]);
    const { tenantId } = workstation.principal;
    expect(run.stderr).toContain(`vault ${host} is of tenant ${other}, this login of tenant ${tenantId}`);
  });

  it("seals as the principal of Pulumi's own variables", async () => {
    const { AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET } = sealing.azure.workstation.env;
    const run = await change({
      ARM_TENANT_ID: AZURE_TENANT_ID,
      ARM_CLIENT_ID: AZURE_CLIENT_ID,
      ARM_CLIENT_SECRET: AZURE_CLIENT_SECRET,
      AZURE_TENANT_ID: undefined,
      AZURE_CLIENT_ID: "somebody else",
      AZURE_CLIENT_SECRET: undefined,
    });
    expect(run).toMatchObject({ code: 0, stderr: "" });
  });

  const day = 86_400;
  const now = () => Math.floor(Date.now() / 1000);
  const unusable = [
    ["disabled", () => ({ enabled: false }), "is disabled", "--enabled true", "on a disabled key"],
    ["expired", () => ({ expires: now() - day }), "expired on 20", "--expires LATER", "on an expired key"],
    ["not yet valid", () => ({ notBefore: now() + day }), "is not valid before 20", "--not-before", "not yet valid"],
  ] as const;

  it.each(unusable)("says at once what to do about a key that is %s, and seals nothing", async (...row) => {
    const [, attributes, reason, remedy] = row;
    const { run, seconds } = await changeWithKey(attributes());
    expect(run.stderr).toContain(`token: cannot seal: key ${sealing.keyUrl} ${reason}`);
    expect(run.stderr).toContain(remedy);
    expect(seconds).toBeLessThan(20);
    expect(sealing.vaultCalls()).toEqual([]);
  });

  it.each(unusable)("says so of a key that is %s, too, where the key cannot be read", async (...row) => {
    const [, attributes, , remedy, words] = row;
    sealing.allow(["encrypt"]);
    const { run, seconds } = await changeWithKey(attributes());
    sealing.allow(["get", "encrypt", "decrypt"]);
    expect(run.stderr).toContain(words);
    expect(run.stderr).toContain(`az keyvault key set-attributes ${remedy}`);
    expect(run.stderr).not.toContain("sealers");
    expect(seconds).toBeLessThan(20);
  });

  async function changeWithKey(attributes: { enabled?: boolean; expires?: number; notBefore?: number }) {
    const version = sealing.keyUrl.split("/").at(-1) ?? "";
    const { keys } = sealing.azure.cloud;
    const was = { enabled: true, expires: now() + day, notBefore: 0 };
    keys.update(sealing.vaultId, "sealing", version, attributes);
    sealing.azure.requests.clear();
    const start = Date.now();
    const run = await change({}, 60);
    keys.update(sealing.vaultId, "sealing", version, was);
    return { run, seconds: (Date.now() - start) / 1000 };
  }

  it("says what to do about a deleted key", async () => {
    sealing.azure.cloud.keys.remove(sealing.vaultId, "sealing");
    const run = await change();
    sealing.azure.cloud.keys.recover(sealing.vaultId, "sealing");
    expect(run.stderr).toContain("Key Vault answers 404 KeyNotFound: A key with (name/id) sealing/");
    expect(run.stderr).toContain("recover it with az keyvault key recover --vault-name test-vault --name ");
  });
});
