import {
  at,
  type Field,
  list,
  MalformedError,
  malformed,
  map,
  optional,
  record,
} from "../../../components/config/fields";
import type { CloudResource, KeyOperation } from "../cloud";
import type { FaultRule } from "../gateway/faults";
import type { Address } from "../gateway/gateway";
import { address, among, flag, guid, maybe, members, number, or, REMEDY, type Reader, text } from "./serve-readers";

export interface KeyConfig {
  name: string;
  /** Bits. @default 3072 */
  keySize: number;
  /** @default encrypt, decrypt */
  operations: KeyOperation[];
  /** @default true */
  enabled: boolean;
  /** File with a PKCS#8 PEM RSA key. @default a new key */
  privateKey?: string;
  /** 32 hex digits. @default random */
  version?: string;
}

export interface VaultConfig {
  name: string;
  /** @default accessPolicy */
  authorization: "accessPolicy" | "rbac";
  keys: KeyConfig[];
  /** Rights on keys, by `workstation` or the name of an identity. */
  access: { who: string; rights: string[] }[];
}

export interface IdentityConfig {
  name: string;
  clientId?: string;
  objectId?: string;
}

export interface AccountConfig {
  name: string;
  containers: string[];
  /** Name of a built-in role, by `workstation` or the name of an identity. */
  access: { who: string; role: string }[];
}

export interface MachineConfig {
  name: string;
  identities: string[];
  adminUser: string;
  sshPublicKeys: string[];
  vmSize: string;
  /** File whose content is the user data. */
  userData?: string;
  /** @default 1200 */
  provisioningTimeoutSeconds: number;
  listen: { proxy: Address; tls?: Address; metadata?: Address; wireServer?: Address };
}

/** What the stand-alone program serves; see `parseServeConfig` for its form as JSON. */
export interface ServeConfig {
  tenantId?: string;
  subscriptionId?: string;
  resourceGroup: string;
  location: string;
  directory?: string;
  authority?: { certificate: string; privateKey: string };
  workstation: { clientId?: string; objectId?: string; clientSecret?: string; proxy: Address };
  vaults: VaultConfig[];
  identities: IdentityConfig[];
  storageAccounts: AccountConfig[];
  machines: MachineConfig[];
  /** Further resources, as Resource Manager would answer them. */
  resources: CloudResource[];
  faults: FaultRule[];
  log: boolean;
}

const OPERATIONS: readonly string[] = ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"];
const ANYWHERE: Address = { host: "127.0.0.1", port: 0 };

const texts: Reader<string[]> = (field) => list(field, "a list of texts", text);

/** The name that a member of a map stands under. */
function named(name: string, field: Field, allowed: string, pattern: RegExp): void {
  text({ path: field.path, value: name }, allowed, pattern);
}

function key(name: string, field: Field): KeyConfig {
  const rest = members<Omit<KeyConfig, "name">>(field, {
    keySize: or(3072, (size) => number(size, "2048, 3072 or 4096", (bits) => [2048, 3072, 4096].includes(bits))),
    operations: or<KeyOperation[]>(["encrypt", "decrypt"], (operations) =>
      list(operations, "a list of operations", (one) => among(one, OPERATIONS as KeyOperation[])),
    ),
    enabled: or(true, flag),
    privateKey: maybe(text),
    version: maybe((version) => text(version, "32 hex digits", /^[0-9a-f]{32}$/)),
  });
  return { name, ...rest };
}

function vault(name: string, field: Field): VaultConfig {
  named(name, field, "named by 3 to 24 letters, digits and hyphens", /^[a-z][a-z0-9-]{1,22}[a-z0-9]$/i);
  const rest = members<Omit<VaultConfig, "name">>(field, {
    authorization: or<VaultConfig["authorization"]>("accessPolicy", (one) => among(one, ["accessPolicy", "rbac"])),
    keys: or<KeyConfig[]>([], (keys) => map(keys, "an object of keys by name", key)),
    access: or<VaultConfig["access"]>([], (access) =>
      map(access, "an object of rights by principal", (who, rights) => ({ who, rights: texts(rights) })),
    ),
  });
  return { name, ...rest };
}

function identity(name: string, field: Field): IdentityConfig {
  return { name, ...members<Omit<IdentityConfig, "name">>(field, { clientId: maybe(guid), objectId: maybe(guid) }) };
}

function account(name: string, field: Field): AccountConfig {
  named(name, field, "named by 3 to 24 lower-case letters and digits", /^[a-z0-9]{3,24}$/);
  const rest = members<Omit<AccountConfig, "name">>(field, {
    containers: or<string[]>([], texts),
    access: or<AccountConfig["access"]>([], (access) =>
      map(access, "an object of role names by principal", (who, role) => ({
        who,
        role: text(role, "a built-in role's name"),
      })),
    ),
  });
  return { name, ...rest };
}

function machine(name: string, field: Field): MachineConfig {
  const rest = members<Omit<MachineConfig, "name">>(field, {
    identities: or<string[]>([], texts),
    adminUser: or("operator", text),
    sshPublicKeys: or<string[]>([], texts),
    vmSize: or("Standard_B2s", text),
    userData: maybe(text),
    provisioningTimeoutSeconds: or(1200, (seconds) => number(seconds, "a number above 0", (value) => value > 0)),
    listen: or<MachineConfig["listen"]>({ proxy: ANYWHERE }, (listen) =>
      members(listen, {
        proxy: or(ANYWHERE, address),
        tls: maybe(address),
        metadata: maybe(address),
        wireServer: maybe(address),
      }),
    ),
  });
  return { name, ...rest };
}

function resource(field: Field): CloudResource {
  const value = record(field, "a resource");
  const { path } = field;
  const id = text(at(path, value, "id"), "a resource id that begins with /", /^\//);
  const type = text(at(path, value, "type"), "a resource type as Microsoft.Network/networkInterfaces", /^[\w.]+\/./);
  const name = text(at(path, value, "name"));
  const properties = { ...optional(at(path, value, "properties"), {}, record) };
  return { ...value, id, type, name, properties };
}

const EFFECTS = ["answer", "reset", "loseAnswer", "delay", "hang", "unreachable"] as const;

function fault(field: Field): FaultRule {
  const value = record(field, "a fault");
  const effect = at(field.path, value, "effect");
  among(at(effect.path, record(effect, "an effect"), "kind"), EFFECTS);
  return value as unknown as FaultRule;
}

/** Who holds rights and which identities machines have must be declared beside them. */
function checkNames(config: ServeConfig): ServeConfig {
  const known = config.identities.map(({ name }) => name);
  const users: [path: string, name: string, allowed: string[]][] = [
    ...config.vaults.flatMap(({ name, access }) =>
      access.map(({ who }): [string, string, string[]] => [`vaults.${name}.access`, who, ["workstation", ...known]]),
    ),
    ...config.storageAccounts.flatMap(({ name, access }) =>
      access.map(({ who }): [string, string, string[]] => [
        `storageAccounts.${name}.access`,
        who,
        ["workstation", ...known],
      ]),
    ),
    ...config.machines.flatMap(({ name, identities }) =>
      identities.map((one): [string, string, string[]] => [`machines.${name}.identities`, one, known]),
    ),
  ];
  const wrong = users.find(([, name, allowed]) => !allowed.includes(name));
  if (wrong === undefined) return config;
  const [path, name, allowed] = wrong;
  throw malformed(
    `${path} names "${name}", declared are ${allowed.join(", ") || "none"}`,
    "declare it under identities",
  );
}

function readServeConfig(value: unknown): ServeConfig {
  return members<ServeConfig>(
    { path: "config", value },
    {
      tenantId: maybe(guid),
      subscriptionId: maybe(guid),
      resourceGroup: or("rehearsal", text),
      location: or("westeurope", text),
      directory: maybe(text),
      authority: maybe((field) => members(field, { certificate: text, privateKey: text })),
      workstation: or<ServeConfig["workstation"]>({ proxy: ANYWHERE }, (field) =>
        members(field, {
          clientId: maybe(guid),
          objectId: maybe(guid),
          clientSecret: maybe(text),
          proxy: or(ANYWHERE, address),
        }),
      ),
      vaults: or<VaultConfig[]>([], (field) => map(field, "an object of vaults by name", vault)),
      identities: or<IdentityConfig[]>([], (field) => map(field, "an object of identities by name", identity)),
      storageAccounts: or<AccountConfig[]>([], (field) => map(field, "an object of storage accounts by name", account)),
      machines: or<MachineConfig[]>([], (field) => map(field, "an object of machines by name", machine)),
      resources: or<CloudResource[]>([], (field) => list(field, "a list of resources", resource)),
      faults: or<FaultRule[]>([], (field) => list(field, "a list of faults", fault)),
      log: or(false, flag),
    },
  );
}

/**
 * Reads the stand-alone program's configuration.
 *
 * @param value the file's JSON: `{"vaults": {"kv-demo": {"keys": {"seal": {}}, "access": {"workstation": ["get", "encrypt"],
 *   "guest": ["decrypt"]}}}, "identities": {"guest": {}}, "machines": {"web": {"identities": ["guest"]}}}` and the
 *   further members of `ServeConfig`; addresses are texts as `127.0.0.1:0`
 */
export function parseServeConfig(value: unknown): ServeConfig {
  try {
    return checkNames(readServeConfig(value));
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    // The readers are the stack configuration's: here there is a file to correct and no key to set.
    throw new MalformedError(
      error.problems.map((problem) => problem.replace(/: set sealed-onion:\S+$/, `: ${REMEDY}`)),
    );
  }
}
