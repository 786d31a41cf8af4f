import { at, type Field, gather, malformed, mustBe, NAMESPACE, optional, structure } from "../../config/fields";

/** What somebody else made and keeps: it is used as it is, never changed or deleted. ARM ids, but for the group. */
export interface Existing {
  /** Its name. */
  readonly resourceGroup?: string;
  readonly vault?: string;
  /** A key of that vault. */
  readonly key?: string;
  readonly identity?: string;
  readonly storageAccount?: string;
  readonly gallery?: string;
  readonly subnet?: string;
  /** Private DNS zones that the subnet's network asks, in which endpoints of vault and account get their names. */
  readonly vaultZone?: string;
  readonly blobZone?: string;
  /** Where the stack's own vault and account write who asked them for what. */
  readonly workspace?: string;
}

export type ExistingKind = keyof Existing;

/** Whether a stack has a vault or an account of its own, about whose network it says something. */
export function hasOwnEndpoints({ storageAccount, vault }: Pick<Existing, "storageAccount" | "vault">): boolean {
  return vault === undefined || storageAccount === undefined;
}

const PROVIDERS: Readonly<Record<Exclude<ExistingKind, "resourceGroup">, { path: string; find: string }>> = {
  vault: { path: "Microsoft.KeyVault/vaults/NAME", find: "az keyvault list --query [].id" },
  key: { path: "Microsoft.KeyVault/vaults/NAME/keys/NAME", find: "the vault's id with /keys/NAME" },
  identity: { path: "Microsoft.ManagedIdentity/userAssignedIdentities/NAME", find: "az identity list --query [].id" },
  storageAccount: { path: "Microsoft.Storage/storageAccounts/NAME", find: "az storage account list --query [].id" },
  gallery: { path: "Microsoft.Compute/galleries/NAME", find: "az sig list --query [].id" },
  subnet: {
    path: "Microsoft.Network/virtualNetworks/NAME/subnets/NAME",
    find: "az network vnet subnet list --vnet-name NAME --query [].id",
  },
  vaultZone: {
    path: "Microsoft.Network/privateDnsZones/privatelink.vaultcore.NAME",
    find: "az network private-dns zone list --query [].id",
  },
  blobZone: {
    path: "Microsoft.Network/privateDnsZones/privatelink.blob.NAME",
    find: "az network private-dns zone list --query [].id",
  },
  workspace: {
    path: "Microsoft.OperationalInsights/workspaces/NAME",
    find: "az monitor log-analytics workspace list --query [].id",
  },
};

export const EXISTING_KINDS = ["resourceGroup", ...Object.keys(PROVIDERS)] as ExistingKind[];

/** Reads configuration key `existing`. */
export function parseExisting(field: Field): Existing {
  const keys = structure(field, EXISTING_KINDS);
  const read = (kind: ExistingKind) => () =>
    optional(at(field.path, keys, kind), undefined, (value) =>
      kind === "resourceGroup" ? parseGroup(value) : parseId(value, PROVIDERS[kind]),
    );
  const readers = Object.fromEntries(EXISTING_KINDS.map((kind) => [kind, read(kind)]));
  const found: Partial<Record<ExistingKind, string | undefined>> = gather(readers);
  const existing: Existing = Object.fromEntries(Object.entries(found).filter(([, id]) => id !== undefined));
  checkKey(field.path, existing);
  return existing;
}

/** A name, or the id that ends in it. Source: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules */
function parseGroup(field: Field): string {
  const form = /^(?:\/subscriptions\/[^/]+\/resourceGroups\/)?([-\w.()]{0,89}[-\w()])$/i;
  const [, name] = form.exec(`${field.value}`) ?? [];
  if (typeof field.value === "string" && name !== undefined) return name;
  throw mustBe(field, "a resource group's name or id (az group list --query [].name)");
}

function parseId(field: Field, { find, path }: { path: string; find: string }): string {
  const named = path.replaceAll(".", "\\.").replaceAll("NAME", "[^/]+");
  const form = new RegExp(`^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/${named}$`, "i");
  if (typeof field.value === "string" && form.test(field.value)) return field.value;
  throw mustBe(field, `an id /subscriptions/ID/resourceGroups/NAME/providers/${path} (${find})`);
}

function checkKey(path: string, { key, vault }: Existing): void {
  if (key === undefined || (vault !== undefined && key.toLowerCase().startsWith(`${vault.toLowerCase()}/`))) return;
  const problem = `${path}.key is no key of ${path}.vault, which is ${vault === undefined ? "not set" : vault}`;
  throw malformed(problem, `set ${NAMESPACE}:${path}.vault to the vault of the key`);
}

/** An id's parts. */
export interface IdParts {
  readonly subscriptionId: string;
  readonly resourceGroupName: string;
  /** The names along the path: a subnet's are its network's and its own. */
  readonly names: readonly string[];
}

export function partsOfId(id: string): IdParts {
  const [, , subscriptionId = "", , resourceGroupName = "", , , ...rest] = id.split("/");
  return { subscriptionId, resourceGroupName, names: rest.filter((_, index) => index % 2 === 1) };
}
