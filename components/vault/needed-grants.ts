import type { Existing } from "../azure/existing/existing";
import type { Need } from "../azure/existing/grants";

const KEYS = "Microsoft.KeyVault/vaults/keys";
const BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs";
const CRYPTO_USER = "Key Vault Crypto User";
const BLOB_CONTRIBUTOR = "Storage Blob Data Contributor";
const BLOB_READER = "Storage Blob Data Reader";

interface Stack {
  readonly authorization: "accessPolicy" | "rbac";
  readonly existing: Existing;
  /** ARM id of the group that the stack's resources are in. */
  readonly groupId: string;
  readonly machine: string;
  readonly sealers: readonly string[];
  /** Whether sealers upload as themselves. */
  readonly uploads: boolean;
  /** Whether the machine writes its status. */
  readonly status: boolean;
  /** Whether the machine reads the systems that it takes in place. */
  readonly systems: boolean;
}

/** What must have been granted where the program grants nothing: access policies are no role assignments, and still made. */
export function neededGrants(stack: Stack): Need[] {
  const { authorization, existing, groupId, machine, sealers, status, systems, uploads } = stack;
  const key = existing.key ?? existing.vault ?? groupId;
  const account = existing.storageAccount ?? groupId;
  const own = { who: "the machine's identity", principalId: machine };
  const sealer = (principalId: string) => ({ who: `sealer ${principalId}`, principalId });
  const onKey = (...actions: string[]) => ({
    ...{ dataActions: actions.map((action) => `${KEYS}/${action}`), scope: key, role: CRYPTO_USER },
  });
  const onBlobs = { dataActions: [`${BLOBS}/read`, `${BLOBS}/write`], scope: account, role: BLOB_CONTRIBUTOR };
  return [
    ...(authorization === "rbac" ? [{ ...own, ...onKey("decrypt/action") }] : []),
    ...(status ? [{ ...own, ...onBlobs }] : []),
    ...(systems ? [{ ...own, dataActions: [`${BLOBS}/read`], scope: account, role: BLOB_READER }] : []),
    ...sealers.flatMap((one) => [
      ...(authorization === "rbac" ? [{ ...sealer(one), ...onKey("read", "encrypt/action", "decrypt/action") }] : []),
      ...(uploads ? [{ ...sealer(one), ...onBlobs }] : []),
    ]),
  ];
}
