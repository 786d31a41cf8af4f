import * as pulumi from "@pulumi/pulumi";
import { RandomString } from "@pulumi/random/randomString";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SystemClosure } from "../../../components/system/system-closure";
import { type ProjectFolder, projectFolder } from "../project-folder";
import { CLIENT, find, GROUP_ID, type MockOptions, PRINCIPAL_ID, resolved, settled, startMocks } from "../pulumi-mocks";

const ENDPOINT = "https://sodevabcd1234.blob.core.windows.net";
const KEY_URL = "https://so-dev.vault.azure.net/keys/sealing-3072/0";
const RELEASE = { path: "/nix/store/x", generation: 3, signature: "k:s" };
const SYSTEM = { system: "/nix/store/x" };

let project: ProjectFolder;
beforeEach(() => {
  project = projectFolder();
});
afterEach(() => project.remove());

async function make(options: MockOptions = {}) {
  const run = (_: string, environment: Readonly<Record<string, string>>) => {
    if (environment.KEY_URL) return JSON.stringify({ publicKey: "sealed-onion-dev:AAAA" });
    return JSON.stringify(environment.SYSTEM ? RELEASE : SYSTEM);
  };
  const registrations = await startMocks({ run, ...options });
  const system = new SystemClosure("system", {
    stack: "dev",
    resourceGroupName: "sealed-onion-dev",
    account: {
      endpoint: pulumi.output(ENDPOINT),
      id: pulumi.output(`${GROUP_ID}/sodevabcd1234`),
      name: pulumi.output("sodevabcd1234"),
    },
    subscriptionId: CLIENT.subscriptionId,
    reader: PRINCIPAL_ID,
    facts: ({ containerUrl, publicKey }) => pulumi.interpolate`${containerUrl} ${publicKey}`,
    sealed: { "onion-key": "ab" },
    keyUrl: KEY_URL,
    recipients: { age: ["age1"], pgp: [] },
    sealersReady: [],
    ready: [],
  });
  const image = new RandomString("image", { length: 8 });
  const release = await resolved(system.publish({ imageUrl: `${ENDPOINT}/images/dev-0.vhd`, keep: 2, ready: [image] }));
  await settled();
  return { registrations, release };
}

describe("a stack's system", () => {
  it("lies in a private container that the machine reads and nobody else of ours does", async () => {
    const { registrations } = await make();
    expect(find(registrations, "system-container").inputs).toMatchObject({
      containerName: "systems",
      publicAccess: "None",
    });
    const { inputs } = find(registrations, "system-reader");
    expect(inputs).toMatchObject({ principalId: PRINCIPAL_ID, principalType: "ServicePrincipal" });
    expect(inputs.roleDefinitionId).toContain("2a2b9908-6ea1-4ae2-8e65-a410df84e7d1");
    expect(inputs.scope).toContain("system");
  });

  it("is built with facts that say what signs it, and published once the image is there", async () => {
    const { registrations, release } = await make();
    const [build, publish] = ["system-build", "system-publish"].map((name) => find(registrations, name));
    expect(build?.inputs.environment).toMatchObject({ FACTS: `${ENDPOINT}/systems sealed-onion-dev:AAAA` });
    expect(publish?.inputs.environment).toMatchObject({ SYSTEM: JSON.stringify(SYSTEM), KEEP: "2" });
    expect(publish?.options.dependsOn).toContain("image");
    expect(release).toEqual(RELEASE);
  });

  it("is signed by a key that no input and no output has in clear", async () => {
    const { registrations } = await make();
    const { inputs } = find(registrations, "system-signing-key");
    expect(inputs.environment).toEqual({ STACK: "dev", KEY_URL, RECIPIENTS: '{"age":["age1"],"pgp":[]}' });
  });
});
