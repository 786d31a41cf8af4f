import { isIP } from "node:net";
import { z } from "zod";
import type { CloudResource } from "../cloud";
import type { FaultRule } from "../gateway/faults";

/** What the file holds is not a configuration: one line a problem, `<where> must be <allowed>, got <value>: <remedy>`. */
export class MalformedConfig extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "MalformedConfig";
  }
}

const REMEDY = "correct it in the file";
const OPERATIONS = ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"] as const;
const EFFECTS = ["answer", "reset", "loseAnswer", "delay", "hang", "unreachable"] as const;

/** A text of that form; each schema's message says what is allowed, as the end of "must be ...". */
const text = (allowed = "a text", pattern = /\S/) => z.string(allowed).regex(pattern, allowed);
const guid = text("a GUID", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i);
const oneOf = <const T extends readonly string[]>(values: T) => z.enum(values, `one of ${values.join(", ")}`);
const flag = z.boolean("true or false");
const texts = z.array(text(), "a list of texts");

/** `address:port`; the address must be an IP address, so that nothing is looked up. */
const address = z
  .unknown()
  .transform((value) => /^\[?(.+?)\]?:(\d{1,5})$/.exec(String(value)) ?? [])
  .transform(([, host = "", port = ""]) => ({ host, port: Number(port) }))
  .refine(({ host, port }) => isIP(host) !== 0 && port <= 65_535, "an IP address and a port as 127.0.0.1:0");
const proxy = address.default({ host: "127.0.0.1", port: 0 });

/** An object of things by name, as a list of things that know their names. */
function named<T extends z.ZodType<object>>(of: string, thing: T, allowed = "a name", pattern = /\S/) {
  return z
    .record(z.string().regex(pattern, `named by ${allowed}`), thing, `an object of ${of} by name`)
    .default({})
    .transform((things) =>
      Object.entries(things).map(
        ([name, value]) => ({ ...(value as z.output<T>), name }) as z.output<T> & { name: string },
      ),
    );
}

/** An object of what each principal may: `workstation`, or the name of an identity. */
function granted<K extends string, T extends z.ZodType>(key: K, right: T, allowed: string) {
  return z
    .record(z.string(), right, allowed)
    .default({})
    .transform((rights) =>
      Object.entries(rights).map(([who, value]) => ({ who, [key]: value }) as { who: string } & Record<K, z.output<T>>),
    );
}

const key = z.strictObject({
  keySize: z.literal([2048, 3072, 4096], "2048, 3072 or 4096").default(3072),
  operations: z.array(oneOf(OPERATIONS), "a list of operations").default(["encrypt", "decrypt"]),
  enabled: flag.default(true),
  /** File with a PKCS#8 PEM RSA key. @default a new key */
  privateKey: text().exactOptional(),
  /** @default random */
  version: text("32 hex digits", /^[0-9a-f]{32}$/).exactOptional(),
});

const vault = z.strictObject({
  authorization: oneOf(["accessPolicy", "rbac"]).default("accessPolicy"),
  keys: named("keys", key),
  access: granted("rights", texts, "an object of rights by principal"),
});

const account = z.strictObject({
  containers: texts.default([]),
  access: granted("role", text("a built-in role's name"), "an object of role names by principal"),
});

const machine = z.strictObject({
  identities: texts.default([]),
  adminUser: text().default("operator"),
  sshPublicKeys: texts.default([]),
  vmSize: text().default("Standard_B2s"),
  /** File whose content is the user data. */
  userData: text().exactOptional(),
  provisioningTimeoutSeconds: z.number("a number above 0").positive("a number above 0").default(1200),
  listen: z
    .strictObject({
      proxy,
      tls: address.exactOptional(),
      metadata: address.exactOptional(),
      wireServer: address.exactOptional(),
    })
    .prefault({}),
});

/** A resource as Resource Manager would answer it. */
const resource = z.looseObject({
  id: text("a resource id that begins with /", /^\//),
  type: text("a resource type as Microsoft.Network/networkInterfaces", /^[\w.]+\/./),
  name: text(),
  properties: z.record(z.string(), z.unknown(), "an object").default({}),
});

const fault = z.looseObject({ effect: z.looseObject({ kind: oneOf(EFFECTS) }) });

const config = z.strictObject(
  {
    tenantId: guid.exactOptional(),
    subscriptionId: guid.exactOptional(),
    resourceGroup: text().default("rehearsal"),
    location: text().default("westeurope"),
    /** Folder for keys, certificates and blobs. @default a temporary one */
    directory: text().exactOptional(),
    /** PEM files of a certificate authority. @default a new one */
    authority: z.strictObject({ certificate: text(), privateKey: text() }).exactOptional(),
    workstation: z
      .strictObject({
        clientId: guid.exactOptional(),
        objectId: guid.exactOptional(),
        clientSecret: text().exactOptional(),
        proxy,
      })
      .prefault({}),
    vaults: named("vaults", vault, "3 to 24 letters, digits and hyphens", /^[a-z][a-z0-9-]{1,22}[a-z0-9]$/i),
    identities: named("identities", z.strictObject({ clientId: guid.exactOptional(), objectId: guid.exactOptional() })),
    storageAccounts: named("storage accounts", account, "3 to 24 lower-case letters and digits", /^[a-z0-9]{3,24}$/),
    machines: named("machines", machine),
    resources: z.array(resource as unknown as z.ZodType<CloudResource>, "a list of resources").default([]),
    faults: z.array(fault as unknown as z.ZodType<FaultRule>, "a list of faults").default([]),
    /** Whether a provider in place of azure-native listens for Pulumi's engine. */
    pulumi: flag.default(false),
    log: flag.default(false),
  },
  "an object",
);

/** What the stand-alone program serves; `example.json` is one. */
export type ServeConfig = z.output<typeof config>;
export type VaultConfig = ServeConfig["vaults"][number];
export type IdentityConfig = ServeConfig["identities"][number];
export type AccountConfig = ServeConfig["storageAccounts"][number];
export type MachineConfig = ServeConfig["machines"][number];

/** Who holds rights and which identities machines have must be declared beside them. */
function checkNames({ vaults, storageAccounts, machines, identities }: ServeConfig): void {
  const known = identities.map(({ name }) => name);
  const holders = ["workstation", ...known];
  const users = [
    ...vaults.flatMap(({ name, access }) => access.map(({ who }) => [`vaults.${name}.access`, who, holders] as const)),
    ...storageAccounts.flatMap(({ name, access }) =>
      access.map(({ who }) => [`storageAccounts.${name}.access`, who, holders] as const),
    ),
    ...machines.flatMap(({ name, identities: borne }) =>
      borne.map((one) => [`machines.${name}.identities`, one, known] as const),
    ),
  ];
  const problems = users
    .filter(([, name, allowed]) => !allowed.includes(name))
    .map(([where, name, allowed]) => {
      const declared = allowed.join(", ") || "none";
      return `${where} names "${name}", declared are ${declared}: declare it under identities`;
    });
  if (problems.length > 0) throw new MalformedConfig(problems);
}

function problemOf({ code, path, message, ...issue }: z.core.$ZodIssue, file: unknown): string {
  const where = ["config", ...path].reduce<string>(
    (before, part) =>
      typeof part === "number" ? `${before}[${part}]` : before ? `${before}.${String(part)}` : `${String(part)}`,
    "",
  );
  if (code === "unrecognized_keys" && "keys" in issue)
    return `${where} has an unknown key "${issue.keys[0]}": ${REMEDY}`;
  if (code === "invalid_key" && "issues" in issue) {
    return `${where} must be ${issue.issues[0]?.message}, got "${String(path.at(-1))}": ${REMEDY}`;
  }
  const got = path.reduce<unknown>((value, part) => (value as Record<PropertyKey, unknown> | undefined)?.[part], file);
  return `${where} must be ${message}, got ${got === undefined ? "nothing" : JSON.stringify(got)}: ${REMEDY}`;
}

/**
 * Reads the stand-alone program's configuration.
 *
 * @param file its JSON: `{"vaults": {"kv-demo": {"keys": {"seal": {}}, "access": {"workstation": ["get", "encrypt"],
 *   "guest": ["decrypt"]}}}, "identities": {"guest": {}}, "machines": {"web": {"identities": ["guest"]}}}` and the
 *   further members of `ServeConfig`; addresses are texts as `127.0.0.1:0`
 * @throws MalformedConfig with every problem
 */
export function parseServeConfig(file: unknown): ServeConfig {
  const { success, data, error } = config.safeParse(file);
  if (!success) throw new MalformedConfig(error.issues.map((issue) => problemOf(issue, file)));
  checkNames(data);
  return data;
}
