import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { assignment, type Rig, roleId, startRig } from "loopback-azure/fixture";
import { assignPolicy } from "loopback-azure/policy/assignments";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { PARTS } from "../../../components/azure/rights";

const run = promisify(execFile);
const root = process.cwd();
const READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
const CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c";

interface Finding {
  name: string;
  state: string;
  found: string;
  type?: string;
}

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "doctor-"));
  for (const name of ["components", "node_modules", "package.json", "Pulumi.yaml", "tsconfig.json"]) {
    fs.symlinkSync(path.join(root, name), path.join(folder, name));
  }
  fs.mkdirSync(path.join(folder, "bin"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** A program that prints one line: what doctor asks of a tool is its version. */
function install(name: string, prints: string): void {
  fs.writeFileSync(path.join(folder, "bin", name), `#!/bin/sh\necho '${prints}'\n`, { mode: 0o755 });
}

function configure(stack: string, config: object, more: object = {}): void {
  fs.writeFileSync(path.join(folder, `Pulumi.${stack}.yaml`), stringify({ config, ...more }));
}

/** Only `sh` is on PATH, beside what is installed. */
async function doctor(argv: string[], environment: Record<string, string> = {}) {
  const sh = path.join(folder, "bin", "sh");
  if (!fs.existsSync(sh)) fs.symlinkSync("/bin/sh", sh);
  const env = { PATH: path.join(folder, "bin"), HOME: folder, ...environment };
  const program = path.join(folder, "components", "start", "run.mjs");
  const result = await run(process.execPath, [program, "doctor", ...argv], { cwd: folder, env }).catch(
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
  return { code: "code" in result ? result.code : 0, stdout: result.stdout, stderr: result.stderr };
}

async function examine(environment: Record<string, string> = {}) {
  const { code, stdout } = await doctor(["--json"], environment);
  const findings = JSON.parse(stdout) as Finding[];
  return { code, finding: (name: string) => findings.find((finding) => finding.name === name) };
}

describe("doctor", () => {
  it("names what is missing, and what to type on this very system", async () => {
    const { code, finding } = await examine();
    expect(code).toBe(1);
    expect(finding("sops")).toMatchObject({
      state: "missing",
      type: "take it from https://github.com/getsops/sops/releases",
    });
    expect(finding("Azure login")).toMatchObject({ state: "missing", type: expect.stringContaining("az login") });
    expect(finding("nix")).toMatchObject({ state: "missing", type: expect.stringContaining("image.vhd") });
    expect(finding("zstd")).toMatchObject({ state: "missing", found: expect.stringContaining("in place") });
    expect(finding("tor")).toMatchObject({ state: "optional" });
    expect(finding("stack")).toMatchObject({ state: "missing", type: expect.stringContaining("pulumi stack init") });
    install("apt-get", "");
    install("brew", "");
    expect((await examine()).finding("sops")?.type).toBe(
      "brew install sops, or take it from https://github.com/getsops/sops/releases",
    );
    expect((await examine()).finding("tor")?.type).toBe("apt-get install tor, or brew install tor");
  });

  it.each<[string, object, nix: string, zstd: string]>([
    ["every default", {}, "missing", "missing"],
    ["another image for each change", { update: "replace" }, "missing", "optional"],
    ["several machines", { replicas: "3" }, "missing", "optional"],
    ["a disk that is built elsewhere", { image: { vhd: "disk.vhd" } }, "optional", "optional"],
    ["another builder, as pulumi config set writes it", { image: '{"builder":["b"]}' }, "optional", "optional"],
    ["such a disk, and then in place", { image: { vhd: "d" }, update: "inPlace" }, "missing", "missing"],
  ])("asks for Nix and zstd only where up runs them: %s", async (_, own, nix, zstd) => {
    configure("dev", Object.fromEntries(Object.entries(own).map(([key, value]) => [`sealed-onion:${key}`, value])));
    const { finding } = await examine();
    expect([finding("nix")?.state, finding("zstd")?.state]).toEqual([nix, zstd]);
  });

  it("says that a Nix is too old for the pinned nixpkgs, and that a Pulumi lacks what starts the program", async () => {
    install("nix", "nix (Nix) 2.8.0");
    install("pulumi", "dev");
    const { finding } = await examine();
    expect(finding("nix")).toMatchObject({ state: "missing", found: "nix (Nix) 2.8.0" });
    expect(finding("Node for Pulumi")).toMatchObject({ state: "missing", type: expect.stringContaining("pulumi-bin") });
    install("nix", "nix (Nix) 2.28.1");
    install("pulumi-language-nodejs", "");
    const better = await examine();
    expect(better.finding("nix")).toMatchObject({ state: "ok" });
    expect(better.finding("Node for Pulumi")).toMatchObject({ state: "ok" });
  });

  it("looks at what a stack's file lacks: dials, passphrase, an offline recipient", async () => {
    configure("dev", { "azure-native:location": "westeurope" }, { encryptionsalt: "v1:salt" });
    const { finding } = await examine();
    expect(finding("configuration")).toMatchObject({
      state: "missing",
      found: "sealed-onion:sshPublicKey and sealed-onion:secrets not set",
    });
    expect(finding("passphrase")).toMatchObject({ state: "missing" });
    expect(finding("recoverable by")).toMatchObject({
      state: "warning",
      found: "vault only: if it is lost, so is every secret",
    });
    const recipients = { age: ["age1xyz"] };
    configure("dev", {
      "azure-native:location": "westeurope",
      "sealed-onion:sshPublicKey": "ssh-ed25519 AAAA",
      "sealed-onion:recipients": recipients,
      "sealed-onion:secrets": { onion: { source: { onion: {} } } },
    });
    const better = await examine();
    for (const name of ["configuration", "passphrase", "recoverable by"]) {
      expect(better.finding(name)).toMatchObject({ state: "ok" });
    }
  });

  it("looks at what production asks for: who seals, and from where, unless vault and account are somebody else's", async () => {
    const has = {
      "azure-native:location": "westeurope",
      "sealed-onion:sshPublicKey": "ssh-ed25519 AAAA",
      "sealed-onion:secrets": { onion: { source: { onion: {} } } },
      "sealed-onion:production": "true",
    };
    const found = async (more: object) => {
      configure("dev", { ...has, ...more });
      return (await examine()).finding("configuration")?.found;
    };
    expect(await found({})).toBe("sealed-onion:sealers and sealed-onion:network not set");
    const sealers = { "sealed-onion:sealers": ["01234567-89ab-4def-8123-456789abcdef"] };
    expect(await found({ ...sealers, "sealed-onion:network": '{"allow":"everybody"}' })).toMatch(
      /has what has no default/,
    );
    const existing = { "sealed-onion:existing": { vault: "ID", storageAccount: "ID" } };
    expect(await found({ ...sealers, ...existing })).toMatch(/has what has no default/);
  });

  it.each([
    ["--jsno", "unknown option --jsno: did you mean --json"],
    ["stacks", "unknown word stacks: did you mean --stack"],
    ["everything", "unknown word everything: type npm run doctor -- --help"],
  ])("answers %s with the nearest word", async (word, said) => {
    expect(await doctor([word])).toEqual({ code: 2, stdout: "", stderr: `${said}\n` });
  });

  it("has a help of one screen, a role to copy, and a price", async () => {
    const help = await doctor(["--help"]);
    expect(help).toMatchObject({ code: 0, stdout: expect.stringMatching(/^usage: npm run doctor/) });
    const role = JSON.parse((await doctor(["--role"])).stdout) as { Actions: string[] };
    expect(role.Actions).toEqual([...new Set(PARTS.flatMap(({ actions }) => actions))]);
    configure("dev", { "sealed-onion:vmSize": "Standard_B2s", "sealed-onion:outbound": "natGateway" });
    const { stdout } = await doctor(["--cost", "--stack", "dev"]);
    expect(stdout).toContain("35 USD  VM, Standard_B2s");
    expect(stdout).toContain("33 USD  NAT gateway");
    expect(stdout).toMatch(/^ +74 USD {2}in all/m);
    const json = JSON.parse((await doctor(["--cost", "--json", "--stack", "dev"])).stdout);
    expect(json).toContainEqual({ what: "VM, Standard_B2s", usd: 35 });
    const everything = {
      vmSize: "Standard_D2as_v5",
      spot: true,
      outbound: "subnet",
      osDisk: { type: "Premium_LRS", sizeGiB: 100 },
      dataDisk: { sizeGib: 64 },
      image: { publish: "gallery", targetRegions: [{ name: "westeurope", replicas: 3 }, { name: "northeurope" }] },
      network: { privateEndpoints: true },
      existing: { subnet: "S", workspace: "W" },
      zones: [1],
    };
    configure(
      "dev",
      Object.fromEntries(Object.entries(everything).map(([key, value]) => [`sealed-onion:${key}`, value])),
    );
    const costs = JSON.parse((await doctor(["--cost", "--json", "--stack", "dev"])).stdout);
    expect(Object.fromEntries(costs.map(({ what, usd }: { what: string; usd: number | null }) => [what, usd]))).toEqual(
      {
        "VM, Standard_D2as_v5 at spot price": null,
        "its OS disk": 20,
        "data disk": 5,
        "the image in the gallery": 0.4,
        "private endpoints, beside their price a GB": 14,
        "private DNS zones": 1,
        "logs in the workspace, about 3 USD a GB": null,
      },
    );
    const zones = { subnet: "S", vaultZone: "V", blobZone: "B" };
    configure("dev", { "sealed-onion:network": { privateEndpoints: true }, "sealed-onion:existing": zones });
    expect((await doctor(["--cost", "--stack", "dev"])).stdout).not.toContain("private DNS zones");
    configure("dev", { "sealed-onion:vmSize": "Standard_B2s", "sealed-onion:replicas": 3 });
    const several = (await doctor(["--cost", "--stack", "dev"])).stdout;
    expect(several).toContain("105 USD  VM, Standard_B2s");
    expect(several).toMatch(/^ +138 USD {2}in all/m);
  });

  it("says in one line that the packages are missing, before anything of them is needed", async () => {
    fs.rmSync(path.join(folder, "node_modules"));
    fs.rmSync(path.join(folder, "components"));
    fs.cpSync(path.join(root, "components", "start"), path.join(folder, "components", "start"), { recursive: true });
    const expected = "the npm packages are not installed: type npm ci, then this again\n";
    expect(await doctor(["--help"])).toEqual({ code: 1, stdout: "", stderr: expected });
    fs.mkdirSync(path.join(folder, "test"));
    fs.copyFileSync(path.join(root, "test", "run.mjs"), path.join(folder, "test", "run.mjs"));
    const tests = promisify(execFile)(process.execPath, [path.join(folder, "test", "run.mjs")]);
    await expect(tests).rejects.toMatchObject({ code: 1, stdout: "", stderr: expected });
  });
});

describe("doctor, asking Azure", () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig.close());

  it("says as whom up acts, and that this one may do all of it", async () => {
    const { finding } = await examine(rig.azure.workstation.env);
    const { objectId, subscriptionId } = rig.azure.workstation.principal;
    expect(finding("Azure login")).toMatchObject({
      state: "ok",
      found: expect.stringContaining(`object id ${objectId}`),
    });
    expect(finding("rights")).toEqual({
      name: "rights",
      state: "ok",
      found: `all that up does in subscription ${subscriptionId}`,
    });
  });

  it("names the rights that are missing, exactly, and the role to copy", async () => {
    const { cloud } = rig;
    const { clientId, objectId, tenantId } = cloud.directory.addApplication({ displayName: "ci", secrets: ["s"] });
    const scope = `/subscriptions/${cloud.subscriptionId}`;
    cloud.put(assignment(scope, objectId, roleId(cloud, CONTRIBUTOR)), { effectiveAfterMs: 0 });
    const named = { ARM_CLIENT_ID: clientId, ARM_TENANT_ID: tenantId, ARM_SUBSCRIPTION_ID: cloud.subscriptionId };
    const environment = { ...rig.azure.workstation.env, ...named, ARM_CLIENT_SECRET: "s" };
    const { finding } = await examine(environment);
    expect(finding("rights")).toMatchObject({
      state: "missing",
      found: expect.stringMatching(
        /does not let this login do Microsoft.Authorization\/roleAssignments\/write, Microsoft.Authorization\/roleAssignments\/delete$/,
      ),
      type: expect.stringContaining("doctor -- --role"),
    });
  });

  describe("for what policies deny", () => {
    async function policies(config: object, environment = rig.azure.workstation.env) {
      configure("dev", { "azure-native:location": "westeurope", ...config });
      return (await examine(environment)).finding("policies");
    }
    const assigned = "Microsoft.Authorization/policyAssignments";
    afterEach(() => {
      for (const { id } of rig.cloud.list({ type: assigned })) rig.cloud.remove(id);
    });

    it("says what policies of the subscription would deny, by their names, and by which dial they pass", async () => {
      expect(await policies({})).toMatchObject({ state: "ok", found: expect.stringContaining("denies what up makes") });
      for (const policy of ["keyVaultPublicAccess", "storagePublicAccess", "noPublicAddress", "tagTeam"] as const)
        assignPolicy(rig.cloud, policy);
      expect(await policies({ "sealed-onion:tags": { team: "web" } })).toEqual({
        name: "policies",
        state: "missing",
        found:
          'denied by the subscription: the vault and the storage account and the NIC, by "Azure Key Vault should disable public network access" and "Storage accounts should disable public network access" and "Network interfaces should not have public IPs"',
        type: "turn the dial that components/stack/baseline.md has for it, or ask who assigned it",
      });
      const passing = {
        "sealed-onion:tags": { team: "web" },
        "sealed-onion:network": { privateEndpoints: true, publicAccess: "off" },
        "sealed-onion:outbound": "natGateway",
      };
      expect(await policies(passing)).toMatchObject({ state: "ok" });
    });

    it("says that it could not ask what policies deny", async () => {
      const { cloud } = rig;
      const { clientId, objectId, tenantId } = cloud.directory.addApplication({ displayName: "look", secrets: ["s"] });
      const scope = `/subscriptions/${cloud.subscriptionId}`;
      cloud.put(assignment(scope, objectId, roleId(cloud, READER)), { effectiveAfterMs: 0 });
      const named = { ARM_CLIENT_ID: clientId, ARM_TENANT_ID: tenantId, ARM_SUBSCRIPTION_ID: cloud.subscriptionId };
      const environment = { ...rig.azure.workstation.env, ...named, ARM_CLIENT_SECRET: "s" };
      expect(await policies({}, environment)).toMatchObject({
        state: "warning",
        found: "not looked at: Azure answers 403 to what it would deny",
      });
    });
  });

  describe("for room for the machines, of which the rig has one", () => {
    const quotas = () => rig.cloud.quotas;
    afterEach(() => quotas().clear());
    const fleet = { "sealed-onion:replicas": 3, "sealed-onion:vmSize": "Standard_B2s" };

    async function quota(config: object, environment = rig.azure.workstation.env) {
      configure("dev", { "azure-native:location": "West Europe", ...config });
      return (await examine(environment)).finding("quota");
    }

    it.each<[string, object, Record<string, number>, object]>([
      [
        "enough",
        fleet,
        {},
        { state: "ok", found: "westeurope has room for 4 machines, and for their successors beside them" },
      ],
      [
        "too little for the first up",
        fleet,
        { standardBSFamily: 8 },
        {
          state: "missing",
          found: "6 of 8 Standard BS Family vCPUs are free in westeurope, and 7 are needed",
          type: expect.stringMatching(
            /^az quota update --resource-name standardBSFamily --scope .* --limit-object value=16$/,
          ),
        },
      ],
      [
        "too little for a replacement",
        fleet,
        { cores: 15 },
        {
          state: "warning",
          found:
            "13 of 15 Total Regional vCPUs are free in westeurope, and 14 are needed to replace machines while those before serve",
          type: expect.stringMatching(/^pulumi config set sealed-onion:rollout oneByOne, or az quota update/),
        },
      ],
      [
        "the same, one by one: 7 and the front end's again",
        { ...fleet, "sealed-onion:rollout": "oneByOne" },
        { cores: 10 },
        { state: "ok" },
      ],
      [
        "too few addresses for a front end of two",
        { ...fleet, "sealed-onion:frontEnd": { replicas: 2 } },
        { StandardSkuPublicIpAddresses: 9 },
        {
          state: "warning",
          found: expect.stringMatching(/^9 of 9 Public IPv4 Addresses - Standard are free in westeurope, and 10 are/),
          type: expect.stringContaining("/providers/Microsoft.Network/locations/westeurope"),
        },
      ],
      [
        "one machine and its successor",
        { "sealed-onion:vmSize": "Standard_D2s_v5" },
        { standardDSv5Family: 3 },
        { state: "warning" },
      ],
      [
        "one machine with a disk of its own: the old one goes first",
        { "sealed-onion:vmSize": "Standard_D2s_v5", "sealed-onion:dataDisk": { sizeGib: 8 } },
        { standardDSv5Family: 2 },
        { state: "ok" },
      ],
      [
        "machines at spot prices, which have a quota of their own",
        { "sealed-onion:vmSize": "Standard_D2s_v5", "sealed-onion:spot": true },
        { cores: 0, standardDSv5Family: 0, lowPriorityCores: 4 },
        { state: "ok" },
      ],
      [
        "a size that the region does not have",
        { "sealed-onion:vmSize": "Standard_D96s_v5" },
        {},
        { state: "missing", found: "westeurope does not offer Standard_D96s_v5 to this subscription" },
      ],
    ])("%s", async (_, config, limits, expected) => {
      for (const [name, limit] of Object.entries(limits)) quotas().set(name, limit);
      expect(await quota(config)).toMatchObject(expected);
    });

    it("counts what serves already", async () => {
      const group = `/subscriptions/${rig.cloud.subscriptionId}/resourceGroups/sealed-onion-dev-westeurope`;
      const type = "Microsoft.Compute/virtualMachines";
      const ids = ["replica-1", "replica-2", "replica-3"].map(
        (role) => `${group}/providers/${type}/sealed-onion-dev-${role}-abc123`,
      );
      const properties = { hardwareProfile: { vmSize: "Standard_B2s" } };
      for (const id of ids) {
        const name = id.split("/").at(-1) ?? "";
        rig.cloud.put({ id, type, name, location: "westeurope", properties });
      }
      quotas().set("cores", 12);
      expect(await quota(fleet)).toMatchObject({
        state: "warning",
        found: expect.stringMatching(
          /^\d+ of 12 Total Regional vCPUs are free in westeurope, and 7 are needed to replace/,
        ),
      });
      expect(await quota({ ...fleet, "sealed-onion:rollout": "oneByOne" })).toMatchObject({ state: "ok" });
      for (const id of ids) rig.cloud.remove(id);
    });

    it("says that it was not looked at where this login may not ask", async () => {
      const { cloud } = rig;
      const { clientId, tenantId } = cloud.directory.addApplication({ displayName: "poor", secrets: ["s"] });
      const named = { ARM_CLIENT_ID: clientId, ARM_TENANT_ID: tenantId, ARM_SUBSCRIPTION_ID: cloud.subscriptionId };
      const environment = { ...rig.azure.workstation.env, ...named, ARM_CLIENT_SECRET: "s" };
      expect(await quota(fleet, environment)).toMatchObject({
        state: "optional",
        found: expect.stringMatching(/^not looked at: Azure does not list .* \(AuthorizationFailed\)$/),
      });
    });
  });

  it("never takes another login where the one that is named has no proof", async () => {
    const { clientId, tenantId } = rig.azure.workstation.principal;
    const missing = path.join(folder, "gone.pem");
    const named = { ARM_CLIENT_ID: clientId, ARM_TENANT_ID: tenantId, ARM_CLIENT_CERTIFICATE_PATH: missing };
    install("az", "{}");
    const { finding } = await examine({ ...rig.azure.workstation.env, ...named });
    expect(finding("Azure login")).toMatchObject({
      state: "missing",
      found: `${missing} of ARM_CLIENT_CERTIFICATE_PATH does not exist`,
    });
  });
});
