import type { LoopbackAzure } from "loopback-azure/azure";
import type { Principal } from "loopback-azure/entra/directory";
import type { Machine } from "loopback-azure/machine/machine";
import { machineToken } from "./azure-view";
import { foreignToken } from "./vault-node";

/** The audience that the auth method asks for. */
export const RESOURCE = "https://management.azure.com/";

/** How one role is bound that the VM must not get. */
export const wrongRoles = {
  "wrong-group": { resourceGroups: ["elsewhere"] },
  "wrong-subscription": { subscriptions: ["00000000-0000-4000-8000-00000000d1ff"] },
} as const;

/** The VM that logs in, as Azure names it. */
export interface LoginMachine {
  subscriptionId: string;
  resourceGroup: string;
  name: string;
  principal: Principal;
}

export function loginMachine({ cloud }: LoopbackAzure, { vmId }: Machine): LoginMachine {
  const match = /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/.*\/([^/]+)$/i.exec(vmId);
  const [identityId = ""] = Object.keys(cloud.get(vmId)?.identity?.userAssignedIdentities ?? {});
  const principal = cloud.directory.managedIdentity(identityId);
  if (!match || !principal) throw new Error(`${vmId} is no VM with a managed identity`);
  const [, subscriptionId = "", resourceGroup = "", name = ""] = match;
  return { subscriptionId, resourceGroup, name, principal };
}

/** Decides on a login. @returns why it is refused; undefined where it is accepted */
export type Judge = (role: "web" | keyof typeof wrongRoles, jwt: string) => Promise<string | undefined>;

/**
 * The VM's own token is accepted, and each of the others refused, for the reason that is meant: no matter what judges, a real
 * Vault or the rules that we know it by.
 * @returns the situations that were refused
 */
export async function acceptThenRefuse(azure: LoopbackAzure, machine: Machine, judge: Judge): Promise<string[]> {
  const { principal } = loginMachine(azure, machine);
  const good = await machineToken(machine.env, RESOURCE, principal.clientId);
  const refused = await judge("web", good);
  if (refused !== undefined) throw new Error(`the VM's own token is refused: ${refused}`);
  const expired = await azure.tokens.issue({ principal, audience: RESOURCE, lifetimeSeconds: -10 });
  const forKeyVault = await machineToken(machine.env, "https://vault.azure.net", principal.clientId);
  const cases: [situation: string, ...Parameters<Judge>, reason: RegExp][] = [
    ["wrong resource group", "wrong-group", good, /resource group not authorized/],
    ["wrong subscription", "wrong-subscription", good, /subscription not authorized/],
    ["other tenant", "web", await foreignToken(azure, RESOURCE), /issued by a different provider|"iss" claim/],
    ["expired token", "web", expired.token, /token is expired|"exp" claim/],
    ["replayed token of another audience", "web", forKeyVault, /expected audience|"aud" claim/],
  ];
  for (const [situation, role, jwt, reason] of cases) {
    const said = await judge(role, jwt);
    if (said === undefined) throw new Error(`${situation}: the login is accepted`);
    if (!reason.test(said)) throw new Error(`${situation}: refused for another reason: ${said}`);
  }
  return cases.map(([situation]) => situation);
}
