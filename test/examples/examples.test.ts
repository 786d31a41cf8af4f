import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Key } from "@pulumi/azure-native/keyvault/key";
import { Vault } from "@pulumi/azure-native/keyvault/vault";
import { Subnet } from "@pulumi/azure-native/network/subnet";
import { VirtualNetwork } from "@pulumi/azure-native/network/virtualNetwork";
import { ResourceGroup } from "@pulumi/azure-native/resources/resourceGroup";
import { type LoopbackAzure, startAzure } from "loopback-azure/azure";
import { simulatedAzureNative } from "loopback-azure/provider/azure-native";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runChild } from "../../components/process/child-process";
import { findOnPath } from "../../components/process/find-program";
import { runProgram } from "../rehearsal/engine/in-process";
import type { EngineState } from "../rehearsal/engine/state";
import { speakForMachines } from "../rehearsal/fleet/speaking-machines";
import { localCommand } from "../rehearsal/providers/local-command";
import { simulatedRandom } from "../rehearsal/providers/random";
import { newSshRecipient, nobodysSshKey } from "../rehearsal/ssh-key";
import { checkTypes, type OwnProject, ownProject, packPackage } from "./installed-package";

const missing = ["sops", "tar"].filter((tool) => !findOnPath(tool));
const unless = missing.length === 0 ? "" : ` (skipped: ${missing.join(", ")} not on PATH)`;

let base: string;
let azure: LoopbackAzure;
let given: Record<string, unknown>;
const examples = ["one-secret", "existing-network", "fleet"] as const;
let projects: Record<(typeof examples)[number], OwnProject>;

beforeAll(async () => {
  base = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "own projects-")));
  const tarball = packPackage(base);
  projects = Object.fromEntries(examples.map((name) => [name, install(tarball, name)])) as typeof projects;
  fs.mkdirSync(path.join(base, "azure"));
  azure = await startAzure({ directory: path.join(base, "azure") });
  given = (await run({ project: "company", program: company })).outputs;
}, 120_000);
afterAll(async () => {
  await azure?.close();
  fs.rmSync(base, { recursive: true, force: true });
});

function install(tarball: string, example: string): OwnProject {
  const folder = path.join(base, example);
  fs.mkdirSync(folder);
  return ownProject(tarball, folder, example);
}

interface Run {
  program: () => Promise<unknown>;
  project: string;
  config?: Record<string, string>;
  cwd?: string;
  preview?: boolean;
  previous?: EngineState;
}

/** Under Pulumi's mock runtime: previews and updates against the loopback Azure, commands run for real. */
function run({ cwd = base, config = {}, ...run }: Run) {
  const { cloud, workstation } = azure;
  const environment = { ...process.env, ...workstation.env };
  return runProgram({
    ...run,
    stack: "dev",
    cwd,
    env: workstation.env,
    config: { "azure-native:location": "westeurope", ...config },
    providers: [
      simulatedAzureNative({ cloud, principal: workstation.principal }),
      simulatedRandom(),
      localCommand({ folder: cwd, environment }),
    ],
  });
}

/** What a company has already: a group, a vault with a key, a network with a subnet. */
async function company() {
  const { objectId, tenantId } = azure.workstation.principal;
  const location = "westeurope";
  const resourceGroupName = new ResourceGroup("company", { resourceGroupName: "company", location }).name;
  const place = { resourceGroupName, location };
  const properties = {
    tenantId,
    sku: { family: "A", name: "standard" },
    enableRbacAuthorization: false,
    accessPolicies: [{ objectId, tenantId, permissions: { keys: ["get", "encrypt", "decrypt"] } }],
  } as const;
  const vault = new Vault("vault", { ...place, vaultName: "company-vault", properties: { ...properties } as never });
  const wanted = { kty: "RSA", keySize: 2048, keyOps: ["encrypt", "decrypt"] };
  const key = new Key("key", { resourceGroupName, vaultName: vault.name, keyName: "sealing", properties: wanted });
  const addressSpace = { addressPrefixes: ["10.1.0.0/16"] };
  const network = new VirtualNetwork("network", { ...place, virtualNetworkName: "hub", addressSpace });
  const inNetwork = { resourceGroupName, virtualNetworkName: network.name, subnetName: "machines" };
  const subnet = new Subnet("subnet", { ...inNetwork, addressPrefix: "10.1.1.0/24" });
  return { keyUrl: key.keyUriWithVersion, subnetId: subnet.id };
}

describe("the tarball", () => {
  it("has JavaScript, types and the guest, and nothing of a stack that is deployed", () => {
    const { packed } = projects["one-secret"];
    expect(packed).toContain("dist/index.cjs");
    expect(packed).toContain("dist/types/components/index.d.ts");
    expect(packed).toContain("nix/flake.nix");
    expect(packed.filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))).toEqual([]);
    expect(
      packed.filter((file) => /^(nix\/(stacks\/[^.]|eval|tests)|Pulumi\.|test|node_modules|\.)/.test(file)),
    ).toEqual([]);
  });

  // At once: reading azure-native's types is what takes the time.
  it("has the types that the examples are written against", { timeout: 120_000 }, () => {
    expect(checkTypes(base, examples)).toBe("");
  });
});

describe.skipIf(missing.length > 0)(`one-secret, from the tarball${unless}`, () => {
  it("seals by an existing key into the project's folder, and its own commands see it", {
    timeout: 120_000,
  }, async () => {
    const project = projects["one-secret"];
    fs.writeFileSync(path.join(project.folder, "token"), "a token of theirs", { mode: 0o600 });
    const config = {
      "one-secret:keyUrl": String(given.keyUrl),
      "one-secret:tokenFile": path.join(project.folder, "token"),
      "one-secret:recoveryKey": newSshRecipient(),
    };
    const options = { project: "one-secret", cwd: project.folder, config, program: () => project.load() };
    const preview = await run({ ...options, preview: true });
    expect(preview.resources.map(({ type }) => type)).toContain("sealed-onion:index:SealedSecret");
    expect(fs.existsSync(path.join(project.folder, "sealed"))).toBe(false);

    const up = await run(options);
    const sealedFile = path.join(project.folder, "sealed", "dev", "api-token.sops.json");
    expect(up.outputs.sealed).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(up.state)).not.toContain("a token of theirs");
    const command = up.resources.find(({ type }) => type === "command:local:Command");
    expect(command?.inputs.create).toBe("exec sh node_modules/sealed-onion/components/start/run.sh seal");
    const environment = { ...process.env, ...azure.workstation.env };
    const types = ["--input-type", "json", "--output-type", "binary"];
    const opened = await runChild("sops", ["decrypt", ...types, sealedFile], { environment });
    expect(opened.stdout.toString()).toBe("a token of theirs");
    const again = await run({ ...options, previous: up.state });
    expect(again.steps.filter(({ op }) => op !== "same").map(({ op, urn }) => `${op} ${urn}`)).toEqual([]);
    const listed = await project.run(["secrets", "--json", "--stack", "dev"], environment);
    expect(JSON.parse(listed.stdout.toString())).toMatchObject([{ name: "api-token", opens: true }]);
  });
});

describe.skipIf(missing.length > 0)(`existing-network, from the tarball${unless}`, () => {
  it("makes an onion service in the given group and subnet, and neither of these", { timeout: 180_000 }, async () => {
    const project = projects["existing-network"];
    const builder = ["node", path.resolve("components/start/run.mjs"), "test/rehearsal/stack-image.ts"];
    const config = {
      "existing-network:resourceGroup": "company",
      "existing-network:subnetId": String(given.subnetId),
      "sealed-onion:sshPublicKey": nobodysSshKey,
      "sealed-onion:status": "false",
      "sealed-onion:secrets": JSON.stringify({ onion: { source: { onion: {} } } }),
      "sealed-onion:image": JSON.stringify({ builder }),
    };
    const options = { project: "existing-network", cwd: project.folder, config, program: () => project.load() };
    const up = await run(options);
    const of = (type: string) => up.resources.filter((resource) => resource.type.startsWith(`azure-native:${type}`));
    for (const type of ["resources:ResourceGroup", "network:VirtualNetwork", "network:Subnet", "network:Public"]) {
      expect(of(type), type).toEqual([]);
    }
    const [nic] = of("network:NetworkInterface");
    expect(JSON.stringify(nic?.inputs)).toContain(String(given.subnetId));
    for (const { inputs } of [
      ...of("compute:VirtualMachine"),
      ...of("keyvault:Vault"),
      ...of("storage:StorageAccount"),
    ]) {
      expect(inputs.resourceGroupName).toBe("company");
    }
    const hostnames = up.outputs.onionHostnames as { onion: string };
    expect(hostnames.onion).toMatch(/^[a-z2-7]{56}\.onion$/);
    expect(fs.readdirSync(path.join(project.folder, "sealed", "dev")).sort()).toEqual([
      ...["facts.json", "onion.seal.json", "onion.sops.json"],
    ]);
    const again = await run({ ...options, previous: up.state });
    expect(again.steps.filter(({ op }) => op !== "same").map(({ op, urn }) => `${op} ${urn}`)).toEqual([]);
  });
});

describe.skipIf(missing.length > 0)(`fleet, from the tarball${unless}`, () => {
  it("makes three machines and a front end, and keeps the address's key from the replicas", {
    timeout: 240_000,
  }, async () => {
    const project = projects.fleet;
    const speaking = speakForMachines(azure, project.folder, "dev", "sealed");
    try {
      const builder = ["node", path.resolve("components/start/run.mjs"), "test/rehearsal/stack-image.ts"];
      const config = {
        "sealed-onion:sshPublicKey": nobodysSshKey,
        "sealed-onion:authorization": "rbac",
        "sealed-onion:replicas": "3",
        "sealed-onion:zones": "[1,2,3]",
        "sealed-onion:secrets": JSON.stringify({ onion: { source: { onion: {} } } }),
        "sealed-onion:image": JSON.stringify({ builder }),
      };
      const options = { project: "fleet", cwd: project.folder, config, program: () => project.load() };
      const up = await run(options);
      const roles = (up.outputs.vmIds as string[]).map((id) => /replica-\d|front-end-\d/.exec(id)?.[0]);
      expect(roles).toEqual(["replica-1", "replica-2", "replica-3", "front-end-1"]);
      const sealed = fs.readFileSync(path.join(project.folder, "sealed", "dev", "onion.sops.json"), "utf8");
      const replica = fs.readFileSync(path.join(project.folder, "sealed", "dev", "onion-replica-1.sops.json"), "utf8");
      const keyOf = (file: string) => /"name": "([^"]+)"/.exec(file)?.[1];
      expect(keyOf(sealed)).toMatch(/^front-end-/);
      expect(keyOf(replica)).not.toBe(keyOf(sealed));
      const again = await run({ ...options, previous: up.state });
      expect(again.steps.filter(({ op }) => op !== "same").map(({ op, urn }) => `${op} ${urn}`)).toEqual([]);
    } finally {
      await speaking.close();
    }
  });
});
