import * as pulumi from "@pulumi/pulumi";
import { RandomString } from "@pulumi/random/randomString";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SealedSecret, type SealedSecretArgs, sealedOnDisk } from "../../../components/secrets/sealed-secret";
import { parseSecrets } from "../../../components/secrets/secret";
import { HOSTNAME, type ProjectFolder, projectFolder } from "../project-folder";
import { FINGERPRINT_KEY, find, type MockOptions, resolved, secretValue, settled, startMocks } from "../pulumi-mocks";

const KEY_URL = "https://so-dev-abcd1234.vault.azure.net/keys/sealing-3072/0123456789abcdef0123456789abcdef";
const PLAINTEXT = "correct horse battery staple";
const SEAL = "exec sh components/start/run.sh seal";
const REMOVE = "exec node components/start/run.mjs seal --remove";

let project: ProjectFolder;
beforeEach(() => {
  project = projectFolder();
});
afterEach(() => project.remove());

function declare(declaration: object, name = "onion-key") {
  const [parsed] = parseSecrets({ [name]: declaration });
  if (parsed === undefined) throw new Error("no secret was declared");
  return parsed;
}

function argsFor(declaration: object, args: Partial<SealedSecretArgs> = {}, name?: string): SealedSecretArgs {
  return {
    stack: "dev",
    declaration: declare(declaration, name),
    keyUrl: KEY_URL,
    recipients: { age: [], pgp: [] },
    fingerprintKey: pulumi.secret(FINGERPRINT_KEY),
    ready: [],
    production: false,
    ...args,
  };
}

async function make(declaration: object, args: Partial<SealedSecretArgs> = {}, options: MockOptions = {}) {
  const { name, ...given } = { name: "onion-key", ...declaration };
  project.seal("dev", name, { hostname: HOSTNAME, ...("source" in given && { source: given.source as object }) });
  const registrations = await startMocks(options);
  const secret = new SealedSecret(name, argsFor(given, args, name));
  await settled();
  return { secret, registrations, seal: find(registrations, `${name}-seal`) };
}

describe("a sealed secret", () => {
  it("is one command that is told what to seal, by reference", async () => {
    const { seal, registrations } = await make({ source: { onion: { prefix: "abc" } } });
    expect(registrations.map(({ name }) => name)).toEqual(["onion-key", "onion-key-seal"]);
    expect(seal.type).toBe("command:local:Command");
    expect(seal.parent).toBe("onion-key");
    expect(seal.inputs).toEqual({
      create: SEAL,
      update: SEAL,
      delete: REMOVE,
      environment: {
        STACK: "dev",
        SECRET: "onion-key",
        SOURCE: '{"onion":{"prefix":"abc"}}',
        KIND: "onion",
        GENERATION: "1",
        FROM: "",
        FINGERPRINT: "onion:abc#1",
        KEY_URL,
        RECIPIENTS: '{"age":[],"pgp":[]}',
        EXPECTED_HOSTNAME: "",
      },
      logging: "stderr",
      stdin: expect.anything(),
    });
    expect(secretValue(seal.inputs.stdin)).toBe(FINGERPRINT_KEY);
  });

  it("has no machine's path and no trigger among its inputs", async () => {
    const { seal } = await make({ name: "token", source: { file: "token.txt" } });
    for (const input of ["dir", "triggers", "interpreter", "assetPaths"]) expect(seal.inputs[input]).toBeUndefined();
    expect(seal.wire.includes(project.folder)).toBe(false);
  });

  it("knows the digest and the address from what lies on disk, not from what the command printed", async () => {
    const printed = JSON.stringify({ digest: "printed", hostname: "printed.onion" });
    const digest = project.seal("dev", "onion-key", { hostname: HOSTNAME });
    const { secret } = await make({ source: { onion: {} } }, {}, { run: () => printed });
    expect(await resolved(secret.digest)).toBe(digest);
    expect(await resolved(secret.hostname)).toBe(HOSTNAME);
  });

  it("has no address if it is no onion key", async () => {
    project.seal("dev", "token");
    project.write("token.txt", PLAINTEXT);
    await startMocks();
    const secret = new SealedSecret("token", argsFor({ source: { file: "token.txt" } }, {}, "token"));
    await settled();
    expect(await resolved(secret.hostname)).toBeUndefined();
  });

  it("waits for the right to use the key", async () => {
    project.seal("dev", "onion-key", { hostname: HOSTNAME });
    const registrations = await startMocks();
    const policy = new RandomString("policy", { length: 8 });
    new SealedSecret("onion-key", argsFor({ source: { onion: {} } }, { ready: [policy] }));
    await settled();
    expect(find(registrations, "onion-key-seal").options.dependsOn).toEqual(["policy"]);
  });

  it("hands over generation, recipients, kind and the expected address", async () => {
    const declaration = { source: { pass: "onion/dev" }, kind: "onion", hostname: HOSTNAME, generation: 3 };
    const recipients = { age: ["age1recipient"], pgp: ["0123456789ABCDEF0123456789ABCDEF01234567"] };
    const { seal } = await make(declaration, { recipients });
    expect(seal.inputs.environment).toMatchObject({
      KIND: "onion",
      GENERATION: "3",
      EXPECTED_HOSTNAME: HOSTNAME,
      RECIPIENTS: '{"age":["age1recipient"],"pgp":["0123456789ABCDEF0123456789ABCDEF01234567"]}',
    });
  });
});

describe("its fingerprint", () => {
  it("is made with the stack's secret key, and can be seen in a diff nevertheless", async () => {
    project.write("token.txt", PLAINTEXT);
    const { seal } = await make({ name: "token", source: { file: "token.txt" } });
    const { FINGERPRINT } = seal.inputs.environment as Record<string, string>;
    expect(FINGERPRINT).toMatch(/^file:dev\/token:[0-9a-f]{64}$/);
  });

  it("changes with the plaintext", async () => {
    const declaration = { name: "token", source: { file: "token.txt" } };
    project.write("token.txt", PLAINTEXT);
    const before = await make(declaration);
    project.write("token.txt", `${PLAINTEXT}!`);
    const after = await make(declaration);
    expect(after.seal.inputs.environment).not.toEqual(before.seal.inputs.environment);
  });

  it("is the recorded one where the source is not on this machine", async () => {
    const declaration = { name: "token", source: { file: "elsewhere.txt" } };
    const { seal } = await make(declaration);
    expect(seal.inputs.environment).toMatchObject({ FINGERPRINT: "recorded" });
  });

  it("is the one recorded under the old name while a secret is renamed", async () => {
    project.seal("dev", "old", { fingerprint: "of the old name", source: { file: "elsewhere.txt" } });
    const registrations = await startMocks({ preview: true });
    new SealedSecret("new", argsFor({ source: { file: "elsewhere.txt" }, from: "old" }, {}, "new"));
    await settled();
    expect(find(registrations, "new-seal").inputs.environment).toMatchObject({
      FINGERPRINT: "of the old name",
      FROM: "old",
    });
  });

  it("is not the recorded one where another source is not on this machine", async () => {
    project.seal("dev", "token", { source: { file: "before.txt" } });
    const registrations = await startMocks({ preview: true });
    new SealedSecret("token", argsFor({ source: { file: "elsewhere.txt" } }, {}, "token"));
    await settled();
    expect(find(registrations, "token-seal").inputs.environment).toMatchObject({ FINGERPRINT: "absent" });
  });

  it("leaves digest and address no secret, although its key is one", async () => {
    const { secret } = await make({ source: { onion: {} } });
    for (const output of [secret.digest, secret.hostname]) expect(await pulumi.isSecret(output)).toBe(false);
  });

  it("is not known while its key is not", async () => {
    const registrations = await startMocks({ preview: true });
    const fingerprintKey = new pulumi.ComponentResource("test:index:Unknown", "unknown", {}).urn.apply(
      () => FINGERPRINT_KEY,
    );
    new SealedSecret("onion-key", argsFor({ source: { onion: {} } }, { fingerprintKey }));
    await settled();
    expect(find(registrations, "onion-key-seal").inputs.environment).toMatchObject({ SECRET: "onion-key" });
  });
});

describe("no plaintext", () => {
  it("is in what the program asks the engine for", async () => {
    project.write("token.txt", PLAINTEXT);
    process.env.SEALED_ONION_TEST_TOKEN = PLAINTEXT;
    try {
      for (const source of [{ file: "token.txt" }, { env: "SEALED_ONION_TEST_TOKEN" }]) {
        const { registrations } = await make({ name: "token", source });
        const wire = Buffer.concat(registrations.map((registration) => registration.wire));
        for (const form of ["utf8", "hex", "base64", "base64url"] as const) {
          expect(wire.includes(Buffer.from(PLAINTEXT).toString(form))).toBe(false);
        }
        expect(wire.includes("token")).toBe(true);
      }
    } finally {
      delete process.env.SEALED_ONION_TEST_TOKEN;
    }
  });
});

describe("its options", () => {
  it("protect an onion key in production, and no other secret", async () => {
    const onion = await make({ source: { onion: {} } }, { production: true });
    expect(onion.seal.options.protect).toBe(true);
    const imported = await make({ source: { pass: "onion" }, kind: "onion" }, { production: true });
    expect(imported.seal.options.protect).toBe(true);
    const declaration = { name: "token", source: { env: "TOKEN" } };
    expect((await make(declaration, { production: true })).seal.options.protect).toBe(false);
    expect((await make({ source: { onion: {} } })).seal.options.protect).toBe(false);
  });

  it("tell the engine what a renamed secret was called", async () => {
    const { registrations, seal } = await make({ source: { onion: {} }, from: "old" });
    expect(registrations[0]?.options.aliases).toEqual(["old"]);
    expect(seal.options.aliases).toEqual(["old-seal"]);
    const plain = await make({ source: { onion: {} } });
    expect(plain.registrations[0]?.options.aliases).toEqual([]);
  });

  it("never ask for a replacement, as an update keeps what is sealed", async () => {
    const { seal } = await make({ source: { onion: {} } });
    expect(seal.options).toMatchObject({
      replaceOnChanges: ["triggers[*]"],
      deleteBeforeReplace: undefined,
      retainOnDelete: false,
    });
  });
});

describe("what went missing on disk", () => {
  it("is named, with the way to get it back", () => {
    expect(() => sealedOnDisk("dev", declare({ source: { onion: {} } }))).toThrow(
      "sealed file nix/stacks/dev/onion-key.sops.json is missing: restore it with git checkout -- nix/stacks/dev/onion-key.*",
    );
  });

  it("is named if it is an onion key's address", () => {
    project.seal("dev", "onion-key");
    expect(() => sealedOnDisk("dev", declare({ source: { onion: {} } }))).toThrow(
      "the record of onion key onion-key names no hostname: npm run secrets -- adopt onion-key --stack dev",
    );
  });
});
