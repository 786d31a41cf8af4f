import { afterAll, beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";
import type { ProjectFolder } from "../components/project-folder";
import { CLIENT, type Registration, secretValue } from "../components/pulumi-mocks";
import { projectWithSecrets, runProgram } from "./program-run";

/** The shapes that a stack can have, by the dials that make them. */
const SHAPES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  production: { production: true, sealers: [CLIENT.objectId], network: { allow: ["198.51.100.7"] } },
  rbac: { authorization: "rbac" },
  "named-sealers": { sealers: [CLIENT.objectId, "group:77777777-7777-4777-8777-777777777777"] },
  gallery: { image: { publish: "gallery", targetRegions: [{ name: "westeurope" }, { name: "northeurope" }] } },
  "nat-gateway": { outbound: "natGateway" },
  firewall: { network: { allow: ["198.51.100.0/24", "203.0.113.7"] } },
  "private-endpoints": { network: { privateEndpoints: true, publicAccess: "off" } },
  "ephemeral-disk": { ephemeralOsDisk: true, vmSize: "Standard_D2ds_v5" },
  "user-data-secrets": { bootAgent: { userDataSecrets: true } },
  "no-status": { status: false },
  tags: { tags: { costCenter: "42" } },
  "data-disk": { dataDisk: { sizeGib: 8 } },
  arm64: { vmSize: "Standard_B2pls_v2", image: { publish: "gallery" } },
  replace: { update: "replace" },
  "given-disk": { image: { vhd: "disk.vhd" } },
  fleet: { replicas: 3, zones: [1, 2, 3], authorization: "rbac" },
  "two-services": {
    secrets: { web: { source: { onion: {} } }, shop: { source: { onion: { prefix: "sh" } } } },
    services: { web: { key: "web" }, shop: { key: "shop", ports: { "8080": "site" } } },
  },
  "vault-auth": {
    "vault:address": "https://vault.example.com:8200",
    vaultAuth: { principals: [CLIENT.objectId], roles: { web: { policies: ["web"] } } },
  },
};

interface Shown {
  readonly type: string;
  readonly parent: string | undefined;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, unknown>>;
}

let project: ProjectFolder;
let plain: Record<string, Shown>;
beforeAll(async () => {
  project = projectWithSecrets();
  project.seal("dev", "web", { hostname: HOSTNAMES.web });
  project.seal("dev", "shop", { hostname: HOSTNAMES.shop });
  for (const number of [1, 2, 3]) project.seal("dev", `onion-key-replica-${number}`, { hostname: HOSTNAMES.shop });
  project.write("disk.vhd", "a disk that was built elsewhere");
  plain = await resourcesOf({});
});
afterAll(() => project.remove());

/** Addresses whose checksum is right. */
const HOSTNAMES = {
  web: "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion",
  shop: "lbtgmztgmztgmztgmztgmztgmztgmztgmztgmztgmztgmztgmztmn5ad.onion",
};

async function resourcesOf(change: Readonly<Record<string, unknown>>): Promise<Record<string, Shown>> {
  const { registrations } = await runProgram(change);
  const custom = registrations.filter((registration) => registration.custom);
  const sorted = custom.sort((one, other) => (one.name < other.name ? -1 : 1));
  return Object.fromEntries(sorted.map((registration) => [registration.name, shown(registration)]));
}

/** As a person reads it: what is left to the provider is left out, and no secret is in it. */
function shown({ type, parent, inputs, options }: Registration): Shown {
  const set = Object.entries(options).filter(
    ([, value]) => value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0),
  );
  return { type, parent, inputs: masked(inputs) as Shown["inputs"], options: Object.fromEntries(set) };
}

function masked(value: unknown): unknown {
  if (secretValue(value) !== undefined) return "[secret]";
  if (Array.isArray(value)) return value.map(masked);
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, masked(inner)]));
}

/** What another shape has that the default one has not: whole new resources, changed parts of others, names gone. */
function difference(shape: Record<string, Shown>): Map<string, unknown> {
  const differences = new Map<string, unknown>();
  for (const [name, now] of Object.entries(shape)) {
    const was = plain[name];
    const difference = was === undefined ? now : changed(was, now);
    if (difference !== undefined) differences.set(name, difference);
  }
  const gone = Object.keys(plain).filter((name) => !(name in shape));
  return gone.length > 0 ? differences.set("gone", gone) : differences;
}

/** The parts of a value that are other than they were; null for those that are gone. */
function changed(was: unknown, now: unknown): unknown {
  if (JSON.stringify(was) === JSON.stringify(now)) return undefined;
  if (!isMap(was) || !isMap(now)) return now ?? null;
  const keys = [...new Set([...Object.keys(was), ...Object.keys(now)])];
  const parts = keys.map((key) => [key, changed(was[key], now[key])] as const);
  return Object.fromEntries(parts.filter(([, part]) => part !== undefined));
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const text = (value: unknown) => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });

it("the default stack is the golden one (a change that is meant: npm test -- test/program/shapes --update)", async () => {
  await expect(text(plain)).toMatchFileSnapshot("golden/shapes/default.yaml");
});

it.each(Object.entries(SHAPES))("%s differs from it as the golden text says", async (name, change) => {
  await expect(text(difference(await resourcesOf(change)))).toMatchFileSnapshot(`golden/shapes/${name}.yaml`);
});
