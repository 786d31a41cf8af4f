import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { onionHostname } from "../../components/onion/hostname";
import { generateOnionKey } from "../../components/onion/keys";
import { runChild } from "../../components/process/child-process";
import { nix, noNix } from "./nix-expression";

const hostname = onionHostname(generateOnionKey().publicKey);

describe("every Nix file", () => {
  const files = execFileSync("git", ["ls-files", "nix/*.nix"], { encoding: "utf8" }).trim().split("\n");

  it.skipIf(noNix)(`parses (skipped without nix-instantiate; nothing of nixpkgs is evaluated here)`, async () => {
    expect(files.length).toBeGreaterThan(20);
    const { code, stderr } = await runChild("nix-instantiate", ["--store", "dummy://", "--parse", ...files]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
  });

  it("is of a size to be read at once", () => {
    const long = files.filter((file) => fs.readFileSync(file, "utf8").split("\n").length > 150);
    expect(long).toEqual([]);
  });
});

describe.skipIf(noNix)("onion addresses in Nix (skipped without nix-instantiate)", () => {
  it.each([
    ["an address", hostname, true],
    ["capitals", hostname.toUpperCase(), false],
    ["another version", hostname.replace(/d\.onion$/, "a.onion"), false],
    ["one character more", `x${hostname}`, false],
    ["any other name", "example.org", false],
  ])("tells %s", async (_, text, expected) => {
    expect(await nix(`address.isOnionHostname "${text}"`)).toBe(expected);
  });

  it.each([
    ["site", { kind: "site" }],
    ["127.0.0.1:9000", { kind: "tcp", addr: "127.0.0.1", port: 9000 }],
    ["[::1]:65535", { kind: "tcp", addr: "[::1]", port: 65535 }],
    ["unix:/run/app/socket", { kind: "unix", path: "/run/app/socket" }],
  ])("reads the target %s", async (target, expected) => {
    expect(await nix(`address.parseTarget "${target}"`)).toEqual(expected);
  });

  it.each([
    "",
    "9000",
    "10.0.0.1:80",
    "127.0.0.1:0",
    "127.0.0.1:65536",
    "127.0.0.1:080",
    "unix:run",
    "localhost:80",
    "[::1]",
  ])("refuses the target '%s', which would leave the machine or lead nowhere", async (target) => {
    expect(await nix(`address.parseTarget "${target}"`)).toBe(
      `target of an onion service's port must be site or an address on the VM itself such as "127.0.0.1:8080", "[::1]:8080" or "unix:/run/app/socket", got "${target}"`,
    );
  });

  it("refuses what is no port", async () => {
    expect(await nix('address.toPort "70000"')).toBe(
      'port of an onion service must be a port from 1 to 65535, got "70000"',
    );
  });
});

describe.skipIf(noNix)("facts in Nix (skipped without nix-instantiate)", () => {
  const secret = {
    path: "/run/secrets/onion",
    owner: "root",
    group: "root",
    mode: "0400",
    sealedFile: "onion.sops.json",
  };
  const service = { secret: "onion", hostname, ports: { "80": "site" } };
  const good = {
    version: 1,
    stack: "dev",
    vault: { keyUrl: "https://v.vault.azure.net/keys/k/0" },
    identity: { clientId: "11111111-2222-3333-4444-555555555555" },
    secrets: { onion: secret },
    services: { site: service },
  };

  const parse = (facts: object) => nix(`parseFacts "facts.json" (builtins.fromJSON ''${JSON.stringify(facts)}'')`);

  it("are completed with what an older deployment did not write", async () => {
    expect(await parse(good)).toMatchObject({
      guest: { adminUser: "operator", readyWhenUnsealed: true, bootAgent: { checkIn: true, entropy: false } },
      secrets: { onion: { restart: [] } },
      services: { site: { clientAuthorization: [], ssh: false } },
      vaultAgent: null,
      status: null,
    });
  });

  it.each<[string, object, string]>([
    ["of another version", { version: 2 }, "facts.json: version must be 1, got 2: run `pulumi up` with this checkout"],
    ["without an identity", { identity: undefined }, "facts.json: needs identity"],
    [
      "of a stack with a bad name",
      { stack: "../dev" },
      'facts.json: stack must be lower-case letters, digits and single hyphens, starting with a letter, at most 30, got "../dev"',
    ],
    [
      "with a sealed file elsewhere",
      { secrets: { onion: { ...secret, sealedFile: "../prod/onion.sops.json" } } },
      'facts.json: secrets.onion: sealedFile must be a <name>.sops.json beside facts.json, got "../prod/onion.sops.json"',
    ],
    [
      "with a path that is not absolute",
      { secrets: { onion: { ...secret, path: "run/onion" } } },
      'facts.json: secrets.onion: path must be a path below /run of letters, digits, ., _ and -, without empty parts, . and .., got "run/onion"',
    ],
    [
      "with a mode that is none",
      { secrets: { onion: { ...secret, mode: "400" } } },
      'facts.json: secrets.onion: mode must be four octal digits such as "0400", with which the owner can read and nobody else can write, got "400"',
    ],
    ["with half a secret", { secrets: { onion: { path: "/x" } } }, "facts.json: secrets.onion: needs sealedFile"],
    [
      "with a service whose key is no secret",
      { services: { site: { ...service, secret: "other" } } },
      "facts.json: services.site: no secret is called other",
    ],
    [
      "with a hostname that is none",
      { services: { site: { ...service, hostname: "example.org" } } },
      'facts.json: services.site: hostname must be a version 3 onion address, got "example.org"',
    ],
  ])("%s are refused in one line", async (_, wrong, words) => {
    expect(await parse({ ...good, ...wrong })).toBe(words);
  });
});

describe.skipIf(noNix)("stacks in Nix (skipped without nix-instantiate)", () => {
  let folder: string;
  beforeAll(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "stacks-"));
  });
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  it("are none where nothing was deployed yet", async () => {
    expect(await nix(`stacks ${folder}`)).toEqual({});
    expect(await nix(`stacks ${folder}/missing`)).toEqual({});
  });

  it("are the folders with facts, whatever else lies there", async () => {
    fs.cpSync("nix/eval/stacks/example", path.join(folder, "example"), { recursive: true });
    fs.mkdirSync(path.join(folder, "half"));
    fs.writeFileSync(path.join(folder, ".gitkeep"), "");
    expect(await nix(`builtins.attrNames (stacks ${folder})`)).toEqual(["example"]);
  });
});

describe.skipIf(noNix)("a unit's confinement in Nix (skipped without nix-instantiate)", () => {
  it("leaves no capability where none is asked for: an empty list would leave all", async () => {
    expect(await nix("(confinement { }).CapabilityBoundingSet")).toBe("");
    expect(await nix('(confinement { capabilities = [ "CAP_CHOWN" ]; }).CapabilityBoundingSet')).toEqual(["CAP_CHOWN"]);
  });

  it("allows the addresses it is given, and no address for an empty list", async () => {
    expect(await nix("confinement { } ? IPAddressDeny")).toBe(false);
    expect(await nix("confinement { addresses = [ ]; }")).toMatchObject({ IPAddressDeny: "any", IPAddressAllow: [] });
  });
});

describe.skipIf(noNix)("the configuration of Vault's agent in Nix (skipped without nix-instantiate)", () => {
  const golden = (name: string) => JSON.parse(fs.readFileSync(`nix/eval/golden/${name}.json`, "utf8"));
  const [template] = golden("vault-agent").template;
  const example = {
    address: "https://vault.example.org:8200",
    caCertificate: null,
    mount: "azure",
    role: "example",
    resource: "https://management.azure.com/",
    clientId: "11111111-2222-3333-4444-555555555555",
    listener: "127.0.0.1:8100",
    templates: { database: { contents: template.contents } },
  };
  const options = (agent: object) => `builtins.fromJSON ''${JSON.stringify(agent)}''`;

  it.each([
    ["vault", () => golden("vault-agent")],
    ["openbao", () => golden("vault-agent-openbao").settings],
  ])("is the golden file for the example's options with the flavour %s", async (flavour, expected) => {
    const agent = options({ ...example, flavour });
    expect(await nix(`agentSettings { folder = "/run/vault-agent"; agent = ${agent}; }`)).toEqual(expected());
  });

  it("tells the login script the same, and nothing of what is not set", async () => {
    expect(await nix(`loginEnvironment (${options(example)})`)).toEqual(
      golden("vault-agent-openbao").login.environment,
    );
    expect(await nix(`loginEnvironment (${options({ ...example, clientId: null, caCertificate: "/ca" })})`)).toEqual({
      SEALED_ONION_VAULT_ADDRESS: "https://vault.example.org:8200",
      SEALED_ONION_VAULT_CA: "/ca",
      SEALED_ONION_VAULT_MOUNT: "azure",
      SEALED_ONION_VAULT_RESOURCE: "https://management.azure.com/",
      SEALED_ONION_VAULT_ROLE: "example",
    });
  });
});
