import { getClientConfigOutput } from "@pulumi/azure-native/authorization/getClientConfig";
import type * as pulumi from "@pulumi/pulumi";
import type { Principal } from "../declarations/vault";

/** The Azure CLI's own client id: whoever signed in through it (and not as a service principal) is a user. */
const AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";

/** Somebody who gets rights, and the suffix of the names of the resources that say so. */
export interface Grantee {
  readonly suffix: string;
  readonly objectId: pulumi.Input<string>;
  readonly type: pulumi.Input<Principal["type"]>;
}

/** Who runs `up`, and where. */
export interface Deployer {
  readonly tenantId: pulumi.Output<string>;
  readonly subscriptionId: pulumi.Output<string>;
  readonly grantee: Grantee;
}

/** Asks the Azure provider as whom it is signed in. */
export function whoDeploys(parent: pulumi.Resource): Deployer {
  const client = getClientConfigOutput({ parent });
  const type = client.clientId.apply((clientId) => principalType(clientId));
  return {
    tenantId: client.tenantId,
    subscriptionId: client.subscriptionId,
    grantee: { suffix: "sealer", objectId: client.objectId, type },
  };
}

/** Azure must be told what a principal is: a person came through the CLI, anything else is a program. */
export function principalType(clientId: string): Principal["type"] {
  return clientId === AZURE_CLI ? "User" : "ServicePrincipal";
}

/** Those named in the configuration, or whoever runs `up`. */
export function sealersOf(sealers: readonly Principal[], deployer: Deployer): readonly Grantee[] {
  if (sealers.length === 0) return [deployer.grantee];
  return sealers.map(({ objectId, type }) => ({ suffix: `sealer-${objectId}`, objectId, type }));
}
