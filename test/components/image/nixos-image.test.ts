import * as pulumi from "@pulumi/pulumi";
import { RandomString } from "@pulumi/random/randomString";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fileDigest } from "../../../components/image/disk/file-digest";
import { readTree, treeParts } from "../../../components/image/guest-tree";
import { imageDigest } from "../../../components/image/image";
import { NixosImage, type NixosImageArgs } from "../../../components/image/nixos-image";
import { versionOf } from "../../../components/image/publish-image";
import { type ProjectFolder, projectFolder } from "../project-folder";
import {
  CLIENT,
  find,
  GROUP_ID,
  type MockOptions,
  type Registration,
  resolved,
  settled,
  startMocks,
} from "../pulumi-mocks";
import { stackLine } from "./made-for-line";

const FACTS = '{\n  "stack": "dev"\n}\n';
const SEALED = { "onion-key": "ab".repeat(32) };
const ALICE = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
const ACCOUNT_ID = `${GROUP_ID}/sodevabcd1234`;
const CONTAINER_URL = "https://sodevabcd1234.blob.core.windows.net/images";

let project: ProjectFolder;
beforeEach(() => {
  project = projectFolder();
});
afterEach(() => {
  vi.unstubAllEnvs();
  project.remove();
});

async function make(args: Partial<NixosImageArgs> = {}, options: MockOptions = {}) {
  const registrations = await startMocks(options);
  const deployer = {
    tenantId: pulumi.output(CLIENT.tenantId),
    subscriptionId: pulumi.output(CLIENT.subscriptionId),
    grantee: { suffix: "sealer", objectId: CLIENT.objectId, type: "ServicePrincipal" },
  } as const;
  const image = new NixosImage("image", {
    stack: "dev",
    location: "westeurope",
    resourceGroupName: "sealed-onion-dev",
    facts: () => FACTS,
    sealed: SEALED,
    ready: [],
    uploaders: [deployer.grantee],
    deployer,
    publish: "managed",
    upload: "granted",
    keep: 2,
    generation: 1,
    targetRegions: [],
    machine: { architecture: "x64", nvme: false, trustedLaunch: false },
    ...args,
  });
  await settled();
  return { image, registrations };
}

function environment(registrations: readonly Registration[], name: string): Record<string, string> {
  return find(registrations, name).inputs.environment as Record<string, string>;
}

/** What both commands of an image are told. */
function told(): Record<string, string> {
  const digest = expectedDigest();
  return {
    STACK: "dev",
    FACTS,
    NIX_DIGEST: readTree("nix").digest,
    SEALED: JSON.stringify(SEALED),
    BUILDER: "nix",
    BLOB_URL: `${CONTAINER_URL}/dev-${digest.slice(0, 32)}.vhd`,
    DIGEST: digest,
  };
}

/** The digest that the image must have, taken here. */
function expectedDigest(builder = "nix"): string {
  return imageDigest({ facts: FACTS, sealed: SEALED, nixDigest: readTree("nix").digest, builder });
}

describe("a NixOS image", () => {
  it("keeps disks in an account without shared keys, public blobs or old TLS", async () => {
    const { registrations } = await make();
    expect(find(registrations, "image-account").inputs).toEqual({
      resourceGroupName: "sealed-onion-dev",
      location: "westeurope",
      accountName: "sodevabcd1234",
      kind: "StorageV2",
      sku: { name: "Standard_LRS" },
      allowBlobPublicAccess: false,
      allowSharedKeyAccess: false,
      defaultToOAuthAuthentication: true,
      allowCrossTenantReplication: false,
      enableHttpsTrafficOnly: true,
      minimumTlsVersion: "TLS1_2",
      publicNetworkAccess: "Enabled",
      networkRuleSet: { defaultAction: "Allow", bypass: "AzureServices" },
    });
    expect(find(registrations, "image-container").inputs).toMatchObject({
      accountName: "sodevabcd1234",
      containerName: "images",
      publicAccess: "None",
    });
  });

  it("lets the uploader write blobs of that account", async () => {
    const { registrations } = await make();
    const role = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";
    expect(find(registrations, "image-sealer-blobs").inputs).toEqual({
      scope: ACCOUNT_ID,
      principalId: CLIENT.objectId,
      principalType: "ServicePrincipal",
      roleDefinitionId: `/subscriptions/${CLIENT.subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${role}`,
      roleAssignmentName: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  it("lets everybody of a team upload", async () => {
    const uploaders = [
      { suffix: `sealer-${ALICE}`, objectId: ALICE, type: "User" },
      { suffix: "sealer-ci", objectId: CLIENT.objectId, type: "ServicePrincipal" },
    ] as const;
    const { registrations } = await make({ uploaders });
    const grants = registrations.filter(({ type }) => type === "azure-native:authorization:RoleAssignment");
    expect(grants.map(({ inputs }) => [inputs.principalId, inputs.principalType])).toEqual([
      [ALICE, "User"],
      [CLIENT.objectId, "ServicePrincipal"],
    ]);
  });

  it("is built by a command that is told everything it is made of", async () => {
    const { registrations } = await make();
    expect(find(registrations, "image-build").inputs).toEqual({
      create: "exec node components/start/run.mjs build-image",
      update: "exec node components/start/run.mjs build-image",
      environment: told(),
      logging: "stderr",
    });
  });

  it("is uploaded by a command that is told what was built, and how to build it again", async () => {
    const built = JSON.stringify({ vhd: "result/nixos.vhd", digest: "x" });
    const { registrations } = await make({}, { run: (name) => (name === "image-build" ? built : "{}") });
    expect(find(registrations, "image-upload").inputs).toEqual({
      create: "exec node components/start/run.mjs upload-image",
      update: "exec node components/start/run.mjs upload-image",
      environment: { ...told(), VHD: built },
      logging: "stderr",
    });
  });

  it("becomes a managed image of Generation 2, named by its content", async () => {
    const { registrations, image } = await make();
    const name = `dev-${expectedDigest().slice(0, 32)}`;
    expect(find(registrations, "image-image").inputs).toEqual({
      resourceGroupName: "sealed-onion-dev",
      location: "westeurope",
      imageName: name,
      hyperVGeneration: "V2",
      storageProfile: {
        osDisk: { osType: "Linux", osState: "Generalized", blobUri: `${CONTAINER_URL}/${name}.vhd` },
      },
    });
    expect(await resolved(image.imageId)).toBe(`${GROUP_ID}/image-image`);
    expect(await resolved(image.containerUrl)).toBe(CONTAINER_URL);
    expect(await resolved(image.blobName)).toBe(`${name}.vhd`);
  });

  it.each([
    ["usgovernment", "https://sodevabcd1234.blob.core.usgovcloudapi.net/images"],
    ["china", "https://sodevabcd1234.blob.core.chinacloudapi.cn/images"],
    ["public", CONTAINER_URL],
  ])("lies in the cloud that the provider is told of: %s", async (cloud, url) => {
    vi.stubEnv("ARM_ENVIRONMENT", cloud);
    const { registrations, image } = await make();
    expect(await resolved(image.containerUrl)).toBe(url);
    expect(environment(registrations, "image-upload").BLOB_URL).toContain(url);
  });

  it("has no machine's path among its inputs", async () => {
    const { registrations } = await make();
    for (const { wire } of registrations) expect(wire.includes(project.folder)).toBe(false);
  });
});

describe("its order", () => {
  it("builds after the secrets are sealed, uploads once it may, and publishes what is uploaded", async () => {
    const registrations = await startMocks();
    const sealed = new RandomString("sealed", { length: 8 });
    registrations.length = 0;
    const { registrations: made } = await makeAfter(sealed);
    expect(find(made, "image-build").options.dependsOn).toEqual(
      expect.arrayContaining(["sealed", "image-container", "image-sealer-blobs"]),
    );
    expect(find(made, "image-upload").options.dependsOn).toEqual(
      expect.arrayContaining(["image-build", "image-container", "image-sealer-blobs"]),
    );
    expect(find(made, "image-image").options.dependsOn).toContain("image-upload");
  });

  it("makes the new image before the old one goes, as the VM still runs on it", async () => {
    const { registrations } = await make();
    expect(find(registrations, "image-image").options.deleteBeforeReplace).toBe(false);
  });

  async function makeAfter(resource: pulumi.Resource) {
    return make({ ready: [resource] });
  }
});

describe("its content", () => {
  const nameOf = async (args: Partial<NixosImageArgs> = {}) =>
    find((await make(args)).registrations, "image-image").inputs.imageName;

  it("gives it its name: facts, sealed files and the guest's folder", async () => {
    const name = await nameOf();
    expect(await nameOf()).toBe(name);
    expect(await nameOf({ facts: () => `${FACTS} ` })).not.toBe(name);
    expect(await nameOf({ sealed: { "onion-key": "cd".repeat(32) } })).not.toBe(name);
    expect(await nameOf({ sealed: {} })).not.toBe(name);
    project.write("nix/host.nix", "{ }\n");
    expect(await nameOf()).not.toBe(name);
  });

  it("is not known in a preview where a secret is to be sealed again, so the preview says nothing false", async () => {
    await startMocks({ preview: true });
    const unknown = new RandomString("unknown", { length: 8 }).result;
    const { registrations } = await make({ sealed: { "onion-key": unknown } }, { preview: true });
    expect(find(registrations, "image-image").inputs).not.toMatchObject({
      imageName: expect.stringMatching(/^dev-[0-9a-f]/),
    });
  });
});

describe("its dials", () => {
  it("vhd takes a disk that was built elsewhere, named by its own content", async () => {
    project.write("disk.vhd", "a disk");
    const { registrations } = await make({ vhd: "disk.vhd" });
    const { BUILDER, DIGEST } = environment(registrations, "image-build");
    expect(BUILDER).toBe("vhd:disk.vhd");
    project.write("disk.vhd", "another disk");
    const other = await make({ vhd: "disk.vhd" });
    expect(environment(other.registrations, "image-build").DIGEST).not.toBe(DIGEST);
  });

  it("vhd keeps its name whatever is sealed, and a preview says that it is older than what is declared", async () => {
    const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
    const said = async (mark: string, args: Parameters<typeof make>[0] = {}) => {
      warn.mockClear();
      project.write("disk.vhd", `a disk ${mark}`);
      const { registrations } = await make({ vhd: "disk.vhd", ...args }, { preview: true });
      expect(environment(registrations, "image-build").DIGEST).toBe(fileDigest("disk.vhd"));
      return warn.mock.calls.map(([text]) => text);
    };
    expect(await said(stackLine("dev", FACTS, SEALED))).toEqual([]);
    expect(await said("without a mark")).toEqual([]);
    const end =
      "up seals and writes nix/stacks/dev, then stops until the disk is built again; the machine stays as it is";
    expect(await said(stackLine("dev", "{}", SEALED))).toEqual([
      `image.vhd 'disk.vhd' is older than what is declared: other facts (services, secrets' places, addresses): ${end}`,
    ]);
    const tree = treeParts([readTree("nix")]);
    expect(await said(stackLine("dev", FACTS, SEALED, tree))).toEqual([]);
    project.write("nix/site/index.html", "another page");
    expect(await said(stackLine("dev", FACTS, SEALED, tree))).toEqual([
      `image.vhd 'disk.vhd' is older than what is declared: another nix/site: ${end}`,
    ]);
    await startMocks({ preview: true });
    const unknown = new RandomString("unknown", { length: 8 }).result;
    expect(await said(stackLine("dev", FACTS, SEALED), { sealed: { "onion-key": unknown } })).toEqual([
      `image.vhd 'disk.vhd' is older than what is declared: a secret, or the facts about the stack, change with this update: ${end}`,
    ]);
    warn.mockClear();
    await make({ vhd: "disk.vhd", sealed: { token: "f".repeat(64) } });
    expect(warn).not.toHaveBeenCalled(); // the build says it, and ends
    warn.mockRestore();
  });

  it("vhd names a disk that is not there before anything is uploaded", async () => {
    await expect(make({ vhd: "missing.vhd" })).rejects.toThrow("missing.vhd");
  });

  it("builder runs another program", async () => {
    const { registrations } = await make({ builder: ["./build.sh", "--fast"] });
    expect(environment(registrations, "image-build").BUILDER).toBe('["./build.sh","--fast"]');
  });

  it("publish gallery makes a version in a gallery, in the regions that are asked for", async () => {
    const completedAt = "2026-11-22T04:38:07.123Z";
    const targetRegions = [
      { name: "westeurope", replicas: 1 },
      { name: "northeurope", replicas: 3 },
    ];
    const run = (name: string) => (name === "image-upload" ? JSON.stringify({ completedAt }) : "{}");
    const { registrations, image } = await make({ publish: "gallery", targetRegions }, { run });
    const place = { resourceGroupName: "sealed-onion-dev", location: "westeurope" };
    expect(find(registrations, "image-gallery").inputs).toEqual({ ...place, galleryName: "sealed_onion_dev" });
    expect(find(registrations, "image-definition").inputs).toEqual({
      ...place,
      galleryName: "sealed_onion_dev",
      galleryImageName: "sealed-onion-dev",
      identifier: { publisher: "sealed-onion", offer: "nixos", sku: "dev" },
      osType: "Linux",
      osState: "Generalized",
      hyperVGeneration: "V2",
      architecture: "x64",
    });
    expect(find(registrations, "image-version").inputs).toEqual({
      ...place,
      galleryName: "sealed_onion_dev",
      galleryImageName: "sealed-onion-dev",
      galleryImageVersionName: "2026.1122.43807",
      publishingProfile: {
        targetRegions: [
          { name: "westeurope", regionalReplicaCount: 1 },
          { name: "northeurope", regionalReplicaCount: 3 },
        ],
      },
      storageProfile: {
        osDiskImage: {
          source: { storageAccountId: ACCOUNT_ID, uri: `${CONTAINER_URL}/dev-${expectedDigest().slice(0, 32)}.vhd` },
        },
      },
    });
    expect(registrations.filter(({ type }) => type === "azure-native:compute:Image")).toEqual([]);
    expect(await resolved(image.imageId)).toBe(`${GROUP_ID}/image-version`);
  });

  it.each([
    [{ architecture: "Arm64" }, "-arm64", { architecture: "Arm64" }],
    [{ nvme: true }, "-nvme", { features: [{ name: "DiskControllerTypes", value: "SCSI, NVMe" }] }],
    [{ trustedLaunch: true }, "-tpm", { features: [{ name: "SecurityType", value: "TrustedLaunchSupported" }] }],
  ] as const)("a definition that promises more has a name of its own: %j", async (machine, suffix, promise) => {
    const common = { architecture: "x64", nvme: false, trustedLaunch: false } as const;
    const run = () => JSON.stringify({ completedAt: "2026-11-22T04:38:07.123Z" });
    const { registrations } = await make({ publish: "gallery", machine: { ...common, ...machine } }, { run });
    const { inputs, options } = find(registrations, "image-definition");
    expect(inputs).toMatchObject({
      galleryImageName: `sealed-onion-dev${suffix}`,
      identifier: { sku: `dev${suffix}` },
      ...promise,
    });
    expect(options.deleteBeforeReplace).toBe(false);
  });

  it("publish managed makes no gallery", async () => {
    const { registrations } = await make();
    expect(registrations.filter(({ type }) => type.includes("Gallery"))).toEqual([]);
  });
});

describe("an image that is made once", () => {
  const once = async (args: Partial<NixosImageArgs> = {}, publicKey = "k:1") => {
    const { registrations } = await make({
      once: () => ({ trust: { publicKey }, built: new RandomString("system-build", { length: 8 }) }),
      ...args,
    });
    return registrations;
  };
  const told = async (...args: Parameters<typeof once>) => environment(await once(...args), "image-build");

  it("stays the same whatever changes in the system, and is told nothing of it", async () => {
    const before = await told();
    expect(Object.keys(before).sort()).toEqual(["BLOB_URL", "BUILDER", "DIGEST", "STACK", "TRUST"]);
    project.write("nix/host.nix", "{ changed = true; }\n");
    expect(await told({ facts: () => "{}", sealed: { "onion-key": "cd".repeat(32) } })).toEqual(before);
  });

  it("is another one where that is asked for, and where its machine could not find or believe its system", async () => {
    const digests = [await told(), await told({ generation: 2 }), await told({}, "k:2")].map(({ DIGEST }) => DIGEST);
    expect(new Set(digests).size).toBe(3);
  });

  it("needs a disk that is given only where an image is made: neither its content nor its place names it", async () => {
    const digests = [await told({ vhd: "not-here.vhd" }), await told({ vhd: "/nor/here.vhd" })];
    expect(new Set(digests.map(({ DIGEST }) => DIGEST)).size).toBe(1);
    expect(digests[0]).toMatchObject({ BUILDER: "vhd:not-here.vhd", TRUST: JSON.stringify({ publicKey: "k:1" }) });
  });

  it("is built once the facts lie on disk", async () => {
    expect(find(await once(), "image-build").options.dependsOn).toContain("system-build");
  });
});

describe("a gallery's version", () => {
  it("grows with the time of the upload, and belongs to it", () => {
    const versions = [
      "2026-01-02T03:04:05Z",
      "2026-01-02T13:04:05Z",
      "2026-10-02T00:00:00Z",
      "2027-01-01T00:00:00Z",
    ].map((completedAt) => versionOf(JSON.stringify({ completedAt })));
    expect(versions).toEqual(["2026.102.30405", "2026.102.130405", "2026.1002.0", "2027.101.0"]);
  });

  it("is refused where the upload does not say when it was complete", () => {
    expect(() => versionOf("{}")).toThrow('the upload did not say when it was complete: got ""');
  });
});
