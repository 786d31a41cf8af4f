import { DiagnosticSetting } from "@pulumi/azure-native/monitor/diagnosticSetting";
import { StorageAccount } from "@pulumi/azure-native/storage/storageAccount";
import * as pulumi from "@pulumi/pulumi";
import { RandomString } from "@pulumi/random/randomString";
import { azureName } from "../azure/azure-name";
import { blobEndpoint, storageAccountName } from "../azure/azure-names";
import { cloudNamed } from "../azure/clouds";
import { diagnosticArgs } from "../azure/diagnostics";
import { type Existing, partsOfId } from "../azure/existing/existing";
import { programSettings } from "../azure/program-settings";
import { accountNetwork, type NetworkGuard } from "../network/network-guard";
import { readably } from "../process/readable-error";

/** Where a stack's account is. */
interface AccountArgs {
  readonly stack: string;
  readonly location: string;
  readonly resourceGroupName: pulumi.Input<string>;
  readonly existing?: Pick<Existing, "storageAccount" | "workspace">;
  /** Who reaches an account of the stack's own. @default everybody */
  readonly network?: NetworkGuard | undefined;
}

/** The storage account that a stack's blobs are in. */
export interface ImageAccount {
  readonly id: pulumi.Output<string>;
  readonly name: pulumi.Output<string>;
  readonly groupName: pulumi.Output<string>;
  /** `https://ACCOUNT.blob.core.windows.net` */
  readonly endpoint: pulumi.Output<string>;
  /** What asks for blobs waits for these: a private endpoint, where there is one. */
  readonly reachable: readonly pulumi.Resource[];
}

/** An account of the stack's own, or an existing one, which is for one stack. */
export function imageAccount(parent: pulumi.Resource, name: string, args: AccountArgs): ImageAccount {
  const cloud = readably(() => cloudNamed(programSettings().environment?.value));
  const existing = args.existing?.storageAccount;
  const groupName = pulumi.output(args.resourceGroupName);
  if (existing !== undefined) {
    const { names, resourceGroupName } = partsOfId(existing);
    // The group's name is known once everything that exists was looked at.
    const after = (text: string) => groupName.apply(() => text);
    const [account = ""] = names;
    return {
      id: after(existing),
      name: after(account),
      groupName: after(resourceGroupName),
      endpoint: after(blobEndpoint(account, cloud)),
      reachable: [],
    };
  }
  const suffix = new RandomString(`${name}-suffix`, { length: 8, upper: false, special: false }, { parent });
  const accountName = suffix.result.apply((random) => storageAccountName(args.stack, random));
  const own = new StorageAccount(`${name}-account`, accountArgs(args, accountName), { parent });
  const endpoint = accountName.apply((known) => blobEndpoint(known, cloud));
  const workspace = args.existing?.workspace;
  if (workspace !== undefined) {
    const blobs = pulumi.interpolate`${own.id}/blobServices/default`;
    const log = diagnosticArgs(blobs, workspace, ["StorageRead", "StorageWrite", "StorageDelete"]);
    new DiagnosticSetting(`${name}-logs`, log, { parent });
  }
  const reachable = args.network?.connect(parent, `${name}-endpoint`, "blob", own.id) ?? [];
  return { id: own.id, name: azureName(own), groupName, endpoint, reachable };
}

/** An account that is reached by Entra ID alone, over TLS, and shows nothing to the public. */
function accountArgs({ location, network, resourceGroupName }: AccountArgs, accountName: pulumi.Input<string>) {
  return {
    resourceGroupName,
    location,
    accountName,
    kind: "StorageV2",
    sku: { name: "Standard_LRS" },
    allowBlobPublicAccess: false,
    allowSharedKeyAccess: false,
    defaultToOAuthAuthentication: true,
    allowCrossTenantReplication: false,
    enableHttpsTrafficOnly: true,
    minimumTlsVersion: "TLS1_2",
    ...accountNetwork(network),
  };
}
