import type { Cloud, CloudResource, KeyAttributes, KeyOperation, KeyVersion } from "../../cloud";
import type { KeyType } from "../../key-vault/key-store";
import { isAllowed } from "../../resource-manager/authorization";
import { refuse, textAt, valueAt, valuesAt } from "../arm";
import type { ResourceKind, Situation } from "../resource-kind";
import { isMap } from "../values";
import { groupName } from "./resources";
import { VAULT } from "./vault";

function vaultIdOf(keyId: string): string {
  return keyId.replace(/\/keys\/[^/]+$/i, "");
}

function attributesOf(wanted: CloudResource): Partial<KeyAttributes> {
  const attributes = isMap(wanted.properties.attributes) ? wanted.properties.attributes : {};
  const operations = valuesAt(wanted.properties, "keyOps[]").map(({ value }) => String(value) as KeyOperation);
  return {
    ...(typeof attributes.enabled === "boolean" && { enabled: attributes.enabled }),
    ...(typeof attributes.nbf === "number" && { notBefore: attributes.nbf }),
    ...(typeof attributes.exp === "number" && { expires: attributes.exp }),
    ...(operations.length > 0 && { keyOps: operations }),
  };
}

async function firstVersion({ cloud, wanted, id }: Situation): Promise<KeyVersion> {
  const keySize = valueAt(wanted.properties, "keySize");
  return cloud.keys.create(vaultIdOf(id), wanted.name, {
    ...attributesOf(wanted),
    kty: wanted.properties.kty as KeyType,
    ...(typeof keySize === "number" && { keySize }),
  });
}

/** A key's answer names its newest version: a rotation outside of Pulumi shows in the next read. */
function keyAnswer(cloud: Cloud, stored: CloudResource): CloudResource {
  const latest = cloud.keys.latest(vaultIdOf(stored.id), stored.name);
  const vault = cloud.get(vaultIdOf(stored.id));
  if (latest === undefined || vault === undefined) return stored;
  const keyUri = `${vault.properties.vaultUri}keys/${stored.name}`;
  const { keySize, kty, version } = latest;
  const properties = { ...stored.properties, kty, keySize, keyUri, keyUriWithVersion: `${keyUri}/${version}` };
  return { ...stored, properties };
}

function mayDeleteKey(cloud: Cloud, vault: CloudResource, keyId: string, caller: string): boolean {
  if (vault.properties.enableRbacAuthorization === true)
    return isAllowed(cloud, [caller], keyId, { dataAction: "Microsoft.KeyVault/vaults/keys/delete" });
  const policies = valuesAt(cloud.effective(vault.id)?.properties, "accessPolicies[]").map(({ value }) => value);
  const own = policies.filter((policy) => textAt(policy, "objectId")?.toLowerCase() === caller.toLowerCase());
  const granted = own.flatMap((policy) => valuesAt(policy, "permissions.keys[]").map(({ value }) => String(value)));
  return granted.some((permission) => ["all", "delete"].includes(permission.toLowerCase()));
}

function validate({ cloud, wanted, id, existing }: Situation): void {
  const vault = cloud.get(vaultIdOf(id));
  const sku = textAt(vault?.properties, "sku.name");
  const kty = String(wanted.properties.kty);
  if (kty.endsWith("-HSM") && sku?.toLowerCase() !== "premium")
    refuse(400, "BadRequest", `The key type '${kty}' needs a vault of sku premium; vault '${vault?.name}' is ${sku}.`);
  const deleted = cloud.keys.deleted(vaultIdOf(id)).some((key) => key.name.toLowerCase() === wanted.name.toLowerCase());
  if (existing === undefined && deleted)
    refuse(
      409,
      "Conflict",
      `Key ${wanted.name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the key can only be recovered or purged.`,
    );
}

/**
 * Made through the control plane; azure-native deletes it through the data plane, where the principal that runs `up` needs the
 * permission `delete` (azure-native, customresources/custom_keyvault.go).
 * Source: https://learn.microsoft.com/rest/api/keyvault/keys/create-if-not-exist
 */
export const key: ResourceKind = {
  token: "azure-native:keyvault:Key",
  type: `${VAULT}/keys`,
  path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault/vaults/{vaultName}/keys/{keyName}",
  apiVersion: "2024-11-01",
  models: "keyvault",
  request: "KeyCreateParameters",
  response: "Key",
  names: [
    groupName,
    { input: "vaultName", pattern: /^[a-zA-Z0-9-]{3,24}$/, rule: "3-24 letters, digits and hyphens" },
    {
      input: "keyName",
      pattern: /^[a-zA-Z0-9-]{1,127}$/,
      rule: "1-127 letters, digits and hyphens",
      automatic: "random",
    },
  ],
  hasLocation: false,
  required: ["properties", "properties.kty"],
  allowed: {
    "properties.kty": ["RSA", "RSA-HSM"],
    "properties.keySize": [2048, 3072, 4096],
    "properties.keyOps[]": ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey", "import", "release"],
  },
  validate,
  async complete(situation) {
    const { cloud, wanted, existing } = situation;
    // Azure answers an existing key as it is: "no write operations are performed". An edit of its size would be lost in silence.
    if (existing !== undefined) {
      const edited = ["kty", "keySize"].find((name) => wanted.properties[name] !== existing.properties[name]);
      if (edited !== undefined)
        refuse(
          409,
          "Conflict",
          `Key ${wanted.name} exists: Azure keeps its ${edited} as it is, a new key needs a new name.`,
        );
      return { ...existing, ...(wanted.tags && { tags: wanted.tags }) };
    }
    const made = await firstVersion(situation);
    const properties = { ...wanted.properties, keySize: made.keySize, keyOps: made.keyOps };
    return { ...wanted, location: cloud.get(vaultIdOf(wanted.id))?.location ?? "", properties };
  },
  answer: keyAnswer,
  remove({ cloud, existing, caller }) {
    const vault = cloud.get(vaultIdOf(existing.id));
    if (vault === undefined) return false;
    if (!mayDeleteKey(cloud, vault, existing.id, caller))
      refuse(
        403,
        "Forbidden",
        `The user, group or application 'oid=${caller}' does not have keys delete permission on key vault '${vault.name}'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287`,
      );
    cloud.keys.remove(vault.id, existing.name);
    return false;
  },
};
