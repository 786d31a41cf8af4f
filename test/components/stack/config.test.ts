import * as fs from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { parse } from "yaml";
import { conversionOffer } from "../../../components/image/disk/disk-format";
import { readConfig, type StackConfig } from "../../../components/stack/config";
import { pulumiConfig } from "../../rehearsal/pulumi-config";
import { type MockOptions, settled, startMocks } from "../pulumi-mocks";
import { AZURE } from "./malformed/azure";
import { EXISTING } from "./malformed/existing";
import { FLEET_DIALS } from "./malformed/fleet";
import { HARDWARE } from "./malformed/hardware";
import { NETWORK } from "./malformed/network";
import { SECRETS } from "./malformed/secrets";
import { SERVICES } from "./malformed/services";
import { VAULT_AUTH } from "./malformed/vault-auth";
import { ONION, secret, WORKING } from "./malformed/working";

const MALFORMED = [
  ...SECRETS,
  ...SERVICES,
  ...AZURE,
  ...EXISTING,
  ...FLEET_DIALS,
  ...HARDWARE,
  ...NETWORK,
  ...VAULT_AUTH,
];

/** The mocks' options for a configuration: values as Pulumi hands them over. */
function optionsFor(change: Readonly<Record<string, unknown>>): MockOptions {
  const { stack, secretKeys, ...values }: Record<string, unknown> = { ...WORKING, ...change };
  return {
    config: pulumiConfig(values),
    ...(typeof stack === "string" ? { stack } : {}),
    ...(Array.isArray(secretKeys) ? { secretKeys } : {}),
  };
}

async function read(change: Readonly<Record<string, unknown>> = {}): Promise<StackConfig> {
  await startMocks(optionsFor(change));
  return readConfig();
}

/** What is said of a configuration, or undefined if it is taken. */
async function complaint(change: Readonly<Record<string, unknown>>): Promise<string | undefined> {
  try {
    await read(change);
    return undefined;
  } catch (error) {
    // Of any other error Pulumi would print the stack as well.
    expect(pulumi.RunError.isInstance(error)).toBe(true);
    return error instanceof Error ? error.message : `${error}`;
  }
}

describe("a malformed configuration is refused, in one line with the way out", () => {
  it.each(MALFORMED)("%s", async (_, change, message) => {
    expect(await complaint(change)).toBe(message);
    expect(message).not.toContain("\n");
  });

  it("and there are enough of them, each of its own", () => {
    expect(MALFORMED.length).toBeGreaterThanOrEqual(60);
    expect(new Set(MALFORMED.map(([title]) => title)).size).toBe(MALFORMED.length);
  });
});

describe("nothing is made of a malformed configuration", () => {
  beforeEach(() => {
    vi.resetModules();
  });

  it.each(MALFORMED)("%s", async (_, change, message) => {
    const registrations = await startMocks(optionsFor(change));
    await expect(import("../../../index.js")).rejects.toThrow(message);
    await settled();
    expect(registrations).toEqual([]);
  });
});

describe("several problems", () => {
  it.each([
    ["keySize", 1024, "must be 2048, 3072 or 4096", 4096],
    ["softDeleteDays", 3, "a whole number from 7 to 90", 7],
    ["outbound", "vpn", "must be ", "natGateway"],
  ])("a dial that is refused is taken with a value that its line allows: %s", async (key, refused, allowed, value) => {
    expect(await complaint({ [key]: refused })).toContain(allowed);
    expect(await complaint({ [key]: value })).toBeUndefined();
  });

  it("are all said at once, a line each", async () => {
    const change = { ...secret({ mode: "0444", owner: "Tor" }), keySize: 1024, "azure-native:location": undefined };
    expect((await complaint(change))?.split("\n")).toEqual([
      expect.stringContaining("azure-native:location must be"),
      expect.stringContaining("secrets.token.owner must be"),
      expect.stringContaining("secrets.token.mode must be"),
      expect.stringContaining("keySize must be"),
    ]);
  });
});

describe("what is not set", () => {
  it("has these values", async () => {
    expect(await read()).toEqual({
      stack: "dev",
      location: "westeurope",
      granted: false,
      secrets: [
        {
          name: "onion-key",
          source: { onion: {} },
          kind: "onion",
          generation: 1,
          path: "/run/secrets/onion-key",
          owner: "root",
          group: "root",
          mode: "0400",
          restart: [],
          worldReadable: false,
        },
      ],
      services: [{ name: "onion-key", key: "onion-key", ports: { "80": "site" }, clientAuthorization: [], ssh: false }],
      recipients: { age: [], pgp: [] },
      vault: {
        keySize: 3072,
        keyProtection: "software",
        authorization: "accessPolicy",
        purgeProtection: false,
        softDeleteDays: 90,
        sealers: [],
      },
      image: {
        granted: false,
        publish: "managed",
        upload: "granted",
        keep: 2,
        generation: 1,
        targetRegions: [],
        machine: { architecture: "x64", nvme: false, trustedLaunch: false },
      },
      machine: {
        vmSize: "Standard_B2s",
        sshPublicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB8+mCR+MEsv0XYi7ohvdKLbDecBtb3uKGQOPfIhdj3C",
        adminUser: "operator",
        ephemeralOsDisk: false,
        outbound: "publicIp",
        osDisk: { type: "StandardSSD_LRS" },
        security: { encryptionAtHost: false, trustedLaunch: false },
        zones: [],
        spot: false,
      },
      bootAgent: {
        checkIn: true,
        hostname: false,
        sshKeys: false,
        entropy: false,
        readyWhenUnsealed: true,
        userDataSecrets: false,
      },
      production: false,
      tags: {},
      vaultAuth: undefined,
      status: true,
      update: { update: "inPlace", reboot: "manual" },
    });
  });
});

describe("the dials that are documented", () => {
  interface Dial {
    readonly type: string;
    readonly description: string;
    readonly default: unknown;
  }
  const declared: Record<string, Dial> = parse(fs.readFileSync("components/stack/dials.yaml", "utf8"));
  const dials = Object.entries(declared);

  it("have each a type, a description and a default", () => {
    for (const [key, dial] of dials) {
      expect(key).toMatch(/^[a-zA-Z]+$/);
      expect(dial.description.length).toBeGreaterThan(10);
      const type = Array.isArray(dial.default) ? "array" : typeof dial.default;
      expect(dial.type === "integer" ? "number" : dial.type).toBe(type);
    }
  });

  it("are exactly the keys that are read", async () => {
    const allowed = (await complaint({ nonsense: 1 }))?.match(/allowed are (.*):/)?.[1]?.split(", ");
    expect(dials.map(([key]) => key).sort()).toEqual(allowed?.sort());
  });

  it("have the defaults of the program", async () => {
    const defaults = dials.map(([key, dial]) => [key, dial.default]);
    const { sshPublicKey, secrets, ...others } = Object.fromEntries(defaults);
    expect(await read(others)).toEqual(await read());
    expect(await complaint({ sshPublicKey })).toBe(await complaint({ sshPublicKey: undefined }));
    expect(await complaint({ secrets })).toBe(await complaint({ secrets: undefined }));
  });

  it("go with a Pulumi.dev.yaml that lacks nothing but the operator's key", async () => {
    const { config } = parse(fs.readFileSync("Pulumi.dev.yaml", "utf8"));
    await startMocks({ config: pulumiConfig(config) });
    expect(() => readConfig()).toThrow(/^sshPublicKey must be the SSH public key of the VM's operator/);
  });
});

describe("configurations that are taken", () => {
  it("a region in Azure's other spelling", async () => {
    expect((await read({ "azure-native:location": "West Europe" })).location).toBe("westeurope");
  });

  it("a prefix that is empty stands for none", async () => {
    const { secrets } = await read({ secrets: { key: { source: { onion: { prefix: "" } } } } });
    expect(secrets[0]?.source).toEqual({ onion: {} });
  });

  it("sealers of every kind", async () => {
    const id = (letter: string) => `${letter.repeat(8)}-1111-4111-8111-111111111111`;
    const sealers = [id("A"), `user:${id("b")}`, `group:${id("c")}`, `servicePrincipal:${id("d")}`];
    expect((await read({ sealers })).vault.sealers).toEqual([
      { objectId: id("a"), type: "User" },
      { objectId: id("b"), type: "User" },
      { objectId: id("c"), type: "Group" },
      { objectId: id("d"), type: "ServicePrincipal" },
    ]);
  });

  it.each(["qcow2", "vhdx", "vmdk"] as const)("the disk that one is told to make of a %s", async (format) => {
    const [, vhd] = /set image\.vhd to '(.*)'$/.exec(conversionOffer(`disks/nixos.${format}`, format)) ?? [];
    expect(vhd).toBe("disks/nixos.raw");
    expect((await read({ image: { vhd } })).image.vhd).toBe(vhd);
  });

  it.each(["nixos.VHD", "nixos.vhd.zst", "nixos.qcow2", "disk"])("a disk by any name: %s", async (vhd) => {
    expect((await read({ image: { vhd } })).image.vhd).toBe(vhd);
  });

  it("a gallery gets the stack's own region where none is named", async () => {
    const { image } = await read({ image: { publish: "gallery" } });
    expect(image.targetRegions).toEqual([{ name: "westeurope", replicas: 1 }]);
  });

  it("an address of Vault alone turns nothing on", async () => {
    expect((await read({ "vault:address": "https://vault.example.com" })).vaultAuth).toBeUndefined();
    expect((await read({ "vault:address": "https://vault.example.com", vaultAuth: {} })).vaultAuth).toBeUndefined();
  });

  it("a secret that is protected in every way it can be", async () => {
    const { secrets } = await read(
      secret({
        path: "/run/web/token",
        owner: "web",
        group: "web",
        mode: "0440",
        restart: ["web@1.service"],
        from: "old",
      }),
    );
    expect(secrets.find(({ name }) => name === "token")).toEqual({
      name: "token",
      source: { env: "TOKEN" },
      generation: 1,
      path: "/run/web/token",
      owner: "web",
      group: "web",
      mode: "0440",
      restart: ["web@1.service"],
      worldReadable: false,
      from: "old",
    });
  });
});

describe("whatever a configuration holds", () => {
  const KEYS = Object.keys(parse(fs.readFileSync("components/stack/dials.yaml", "utf8")));

  it("is taken, or refused with lines that end in a way out, and never fails otherwise", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...KEYS), fc.jsonValue(), async (key, value) => {
        const lines = (await complaint({ [key]: value }))?.split("\n") ?? [];
        for (const line of lines) expect(line).toMatch(/^\S.*: \S.*[^.]$/);
      }),
      { numRuns: 400 },
    );
  });

  it("is a secret's declaration, too", async () => {
    const part = fc.constantFrom(
      "source",
      "kind",
      "path",
      "owner",
      "mode",
      "restart",
      "from",
      "generation",
      "worldReadable",
    );
    await fc.assert(
      fc.asyncProperty(part, fc.jsonValue(), async (key, value) => {
        const lines = (await complaint(secret({ [key]: value })))?.split("\n") ?? [];
        for (const line of lines) expect(line).toMatch(/^\S.*: \S.*[^.]$/);
      }),
      { numRuns: 400 },
    );
  });

  it("shows no plaintext that was put where a reference belongs", async () => {
    const plaintext = fc.string({ minLength: 8 }).map((text) => `hunter2 ${text}`);
    const place = fc.constantFrom(
      (text: string) => ({ source: text }),
      (text: string) => ({ source: { env: text } }),
      (text: string) => ({ source: { command: text } }),
      (text: string) => ({ source: { pass: `/${text}` } }),
      (text: string) => ({ value: text }),
      (text: string) => ({ source: { onion: text } }),
    );
    await fc.assert(
      fc.asyncProperty(plaintext, place, async (text, put) => {
        const message = await complaint(secret(put(text)));
        expect(message).toBeDefined();
        expect(message).not.toContain("hunter2");
      }),
      { numRuns: 200 },
    );
  });

  it("lets no secret out of /run, and none onto another", async () => {
    const segment = fc.constantFrom("run", "secrets", "token", "onion-key", "a", "b", "..", ".", "", "etc", "nix");
    const path = fc.array(segment, { minLength: 1, maxLength: 5 }).map((segments) => `/${segments.join("/")}`);
    await fc.assert(
      fc.asyncProperty(path, path, async (one, other) => {
        const source = { env: "A" };
        await startMocks(
          optionsFor({ secrets: { ...ONION, one: { source, path: one }, other: { source, path: other } } }),
        );
        let config: StackConfig;
        try {
          config = readConfig();
        } catch {
          return;
        }
        const paths = config.secrets.map((taken) => taken.path);
        for (const taken of paths) expect(taken).toBe(new URL(taken, "file:///").pathname);
        for (const taken of paths) expect(taken.startsWith("/run/")).toBe(true);
        for (const taken of paths) expect(paths.filter((each) => `${each}/`.startsWith(`${taken}/`))).toEqual([taken]);
      }),
      { numRuns: 400 },
    );
  });
});
