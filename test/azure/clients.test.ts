import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runProgram, runScript } from "./child";
import { GUEST, machine, OTHER, policy, type Rig, sealKey, startRig, VAULT_URL, vault } from "./fixture";
import type { Machine } from "./machine/machine";

function has(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const hasSops = has("sops", "--disable-version-check", "--version");
const hasCurl = has("curl", "--version");

let rig: Rig;
let web: Machine;
let folder: string;

beforeAll(async () => {
  rig = await startRig();
  rig.cloud.put(machine(rig.cloud, [rig.ids.guest, rig.ids.other]));
  web = await rig.azure.bootMachine(rig.ids.machine);
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "azure-clients-"));
});
afterAll(async () => {
  await rig.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

/** Claims of the token that a credential of @azure/identity gets. */
async function claims(credential: string, env: Record<string, string>, scope = "https://vault.azure.net/.default") {
  const script = `const identity = require("@azure/identity"); const credential = ${credential}; return (await credential.getToken("${scope}")).token;`;
  return decodeJwt(String(await runScript(script, env)));
}

describe("credentials of @azure/identity", () => {
  it("for a client secret, named or from the environment", async () => {
    const { env, principal } = rig.azure.workstation;
    const secret =
      "new identity.ClientSecretCredential(process.env.AZURE_TENANT_ID, process.env.AZURE_CLIENT_ID, process.env.AZURE_CLIENT_SECRET)";
    const expected = { oid: principal.objectId, appid: principal.clientId, aud: "https://vault.azure.net" };
    expect(await claims(secret, env)).toMatchObject(expected);
    expect(await claims("new identity.EnvironmentCredential()", env)).toMatchObject(expected);
    expect(await claims("new identity.DefaultAzureCredential()", env)).toMatchObject(expected);
  });

  it("for a managed identity, by client id and by resource id", async () => {
    const byClient = `new identity.ManagedIdentityCredential({ clientId: "${OTHER.clientId}" })`;
    const byResource = `new identity.ManagedIdentityCredential({ resourceId: "${rig.ids.guest}" })`;
    expect(await claims(byClient, web.env)).toMatchObject({ oid: OTHER.principalId, xms_az_rid: rig.ids.machine });
    expect(await claims(byResource, web.env)).toMatchObject({ oid: GUEST.principalId, xms_mirid: rig.ids.guest });
    const byEnvironment = { ...web.env, AZURE_CLIENT_ID: GUEST.clientId };
    expect(await claims("new identity.DefaultAzureCredential()", byEnvironment)).toMatchObject({
      oid: GUEST.principalId,
    });
  });

  it("say what Azure says where two identities are attached and none is named", async () => {
    await expect(claims("new identity.ManagedIdentityCredential()", web.env)).rejects.toThrow(
      /Multiple user assigned identities exist/,
    );
  });

  it("for workload identity: a token in a file is traded", async () => {
    const issuer = await rig.azure.addTokenIssuer("https://token.actions.githubusercontent.com");
    const subject = "repo:someone/onion:environment:production";
    const application = rig.cloud.directory.addApplication({
      displayName: "ci",
      federatedCredentials: [{ issuer: issuer.issuer, subject }],
    });
    const file = path.join(folder, "token");
    fs.writeFileSync(file, await issuer.sign({ sub: subject, aud: "api://AzureADTokenExchange" }));
    const { AZURE_CLIENT_SECRET: _secret, ...env } = rig.azure.workstation.env;
    const federated = { ...env, AZURE_CLIENT_ID: application.clientId, AZURE_FEDERATED_TOKEN_FILE: file };
    expect(await claims("new identity.WorkloadIdentityCredential()", federated)).toMatchObject({
      oid: application.objectId,
    });
  });
});

describe.skipIf(!hasSops)(`sops${hasSops ? "" : " (skipped: needs sops on PATH)"}`, () => {
  let keyUrl: string;
  let sealed: string;

  /** A shell feeds it: sops 3.11 opens /dev/stdin by name, which must be a pipe and not Node's socket. */
  function seal(plaintext: string) {
    const command =
      'cat | sops encrypt --filename-override x --input-type binary --output-type json --azure-kv "$KEY_URL" /dev/stdin';
    return runProgram(["sh", "-c", command], { ...rig.azure.workstation.env, KEY_URL: keyUrl }, plaintext);
  }

  function open(clientId: string) {
    const argv = ["sops", "decrypt", "--input-type", "json", "--output-type", "binary", sealed];
    return runProgram(argv, { ...web.env, AZURE_CLIENT_ID: clientId });
  }

  function grant(...policies: object[]): void {
    rig.cloud.put(vault(rig.cloud, { accessPolicies: policies }));
  }

  beforeAll(async () => {
    const { version } = await sealKey(rig.cloud, { keySize: 3072 });
    keyUrl = `${VAULT_URL}/keys/seal/${version}`;
    sealed = path.join(folder, "sealed.json");
    grant(policy(rig.cloud, rig.workstation().objectId, "encrypt"));
    const { code, stdout, stderr } = await seal("the onion's key");
    expect([code, stderr]).toEqual([0, ""]);
    fs.writeFileSync(sealed, stdout);
  });

  it("seals on the workstation what the machine's identity opens with decrypt alone", async () => {
    grant(policy(rig.cloud, GUEST.principalId, "decrypt"));
    expect(await open(GUEST.clientId)).toMatchObject({ code: 0, stdout: "the onion's key" });
  });

  it("is refused for the machine's other identity, with Key Vault's reason", async () => {
    grant(policy(rig.cloud, GUEST.principalId, "decrypt"));
    const { code, stdout, stderr } = await open(OTHER.clientId);
    expect([code, stdout]).toEqual([128, ""]);
    expect(stderr.replaceAll(/[\s|]+/g, " ")).toContain("does not have keys decrypt permission on key vault 'kv-test");
  });

  it("cannot seal with a policy that only opens", async () => {
    grant(policy(rig.cloud, rig.workstation().objectId, "decrypt"));
    const { code, stdout, stderr } = await seal("x");
    expect([code === 0, stdout]).toEqual([false, ""]);
    expect(stderr).toContain("403");
  });

  it("rides out throttling", async () => {
    grant(policy(rig.cloud, GUEST.principalId, "decrypt"));
    const effect = { kind: "answer", status: 429, code: "Throttled", retryAfterSeconds: 0 } as const;
    const fault = rig.azure.faults.add({ host: ".vault.azure.net", path: /decrypt/, times: 2, effect });
    expect(await open(GUEST.clientId)).toMatchObject({ code: 0, stdout: "the onion's key" });
    expect(fault.hits).toBe(2);
    fault.remove();
  });
});

describe.skipIf(!hasCurl)(`curl${hasCurl ? "" : " (skipped: needs curl on PATH)"}`, () => {
  it("asks the metadata service and the wire server like any agent", async () => {
    const imds = [
      "-H",
      "Metadata: true",
      "http://169.254.169.254/metadata/instance/compute/name?api-version=2021-02-01&format=text",
    ];
    expect(await runProgram(["curl", "-sS", ...imds], web.env)).toMatchObject({ code: 0, stdout: "web" });
    const wire = await runProgram(["curl", "-sS", "http://168.63.129.16/?comp=versions"], web.env);
    expect(wire.stdout).toContain("2012-11-30");
  });

  it("trusts the authority it is told of", async () => {
    const url = `${VAULT_URL}/keys?api-version=7.6`;
    const { CURL_CA_BUNDLE: _bundle, SSL_CERT_FILE: _file, ...untold } = rig.azure.workstation.env;
    expect((await runProgram(["curl", "-sS", url], rig.azure.workstation.env)).stdout).toContain("AKV10000");
    const { code } = await runProgram(["curl", "-sS", url], untold);
    expect(code).toBe(60);
    expect(rig.azure.requests.entries.at(-1)?.failure).toMatch(/^TLS: .*unknown ca/i);
  });
});
