import { getClientConfig } from "@pulumi/azure-native/authorization/getClientConfig";
import * as pulumi from "@pulumi/pulumi";
import type { Principal } from "./principals";

/** The Azure CLI's own client id: a login through it (and not as a service principal) is a user's. */
const AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";

/** Somebody who gets rights, and the suffix of the names of the resources that say so. */
export interface Grantee {
  readonly suffix: string;
  /** The suffix that they may have had before. */
  readonly formerly?: pulumi.Input<string>;
  readonly objectId: pulumi.Input<string>;
  readonly type: pulumi.Input<Principal["type"]>;
}

/** Who runs `up`, and where. */
export interface Deployer {
  readonly tenantId: pulumi.Output<string>;
  readonly subscriptionId: pulumi.Output<string>;
  readonly grantee: Grantee;
}

const NOBODY =
  "Pulumi's Azure provider does not say who deploys: log in with az login, or set ARM_CLIENT_ID, ARM_TENANT_ID and " +
  "ARM_CLIENT_SECRET; without a login, npm run rehearse in a checkout of sealed-onion shows a whole deployment";

/** Asks the Azure provider as whom it is signed in. Where it is not, that is said in one line, with its reason. */
export function whoDeploys(parent: pulumi.Resource): Deployer {
  const client = pulumi.output(getClientConfig({ parent }).catch(saysNobody));
  const type = client.clientId.apply((clientId) => principalType(clientId));
  return {
    tenantId: client.tenantId,
    subscriptionId: client.subscriptionId,
    // who was named until now, and is still the one: not the same right twice
    grantee: { suffix: "sealer", formerly: client.objectId.apply(namedSuffix), objectId: client.objectId, type },
  };
}

/** In the place of the failed call's trace: what to type. */
function saysNobody(error: Error): never {
  const [, reason = error.message] = /returned an error: (.+)/s.exec(error.message) ?? [];
  throw new pulumi.RunError(`${NOBODY} (it says: ${reason.replace(/\s+/g, " ").trim()})`);
}

function namedSuffix(objectId: string): string {
  return `sealer-${objectId}`;
}

/** Azure wants to know what kind a principal is: a person came through the CLI, anything else is a program. */
export function principalType(clientId: string): Principal["type"] {
  return clientId === AZURE_CLI ? "User" : "ServicePrincipal";
}

/**
 * Those named in the configuration, or the principal that runs `up`. The first to be named takes the place of the one
 * that ran `up` until then, which may be named as well: Azure grants a right once only.
 */
export function sealersOf(sealers: readonly Principal[], { grantee }: Deployer): readonly Grantee[] {
  if (sealers.length === 0) return [grantee];
  return sealers.map(({ objectId, type }, index) => ({
    suffix: namedSuffix(objectId),
    objectId,
    type,
    ...(index === 0 ? { formerly: grantee.suffix } : {}),
  }));
}

/**
 * Options of a grant, and its name: one grant after the other (`before`), and another principal's only once the old one
 * is gone.
 */
export function grant(
  parent: pulumi.Resource,
  role: string,
  { suffix, formerly }: Grantee,
  before: readonly pulumi.Resource[],
) {
  const name = (who: string) => role.replace("*", who);
  const options: pulumi.CustomResourceOptions = {
    parent,
    dependsOn: [...before],
    deleteBeforeReplace: true,
    ...(formerly === undefined ? {} : { aliases: [{ name: pulumi.output(formerly).apply(name) }] }),
  };
  return { name: name(suffix), options };
}
