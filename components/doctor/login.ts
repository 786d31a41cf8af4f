import { groupName } from "../azure/azure-names";
import { askAzure } from "../azure/azure-request";
import { managementScope } from "../azure/clouds";
import { actAs, loginInUse } from "../azure/login-in-use";
import type { ProviderSettings } from "../azure/provider-settings";
import { missingActions, type Permission, partsFor } from "../azure/rights";
import { stackSettings } from "../azure/stack-settings";
import type { TokenSource } from "../azure/token-source";
import { readStackFile } from "../config/stack-file";
import { runChild } from "../process/child-process";
import type { Finding } from "./finding";
import { examinePolicies } from "./policies";
import { examineQuota } from "./quota";

/** As whom `up` acts, and whether Azure lets that one. */
export async function examineLogin(stack: string | undefined): Promise<Finding[]> {
  const name = "Azure login";
  try {
    const { structure, value } =
      stack === undefined ? { structure: () => undefined, value: () => undefined } : readStackFile(stack);
    const settings = stackSettings(stack ?? "", value, process.env);
    actAs(settings);
    const login = loginInUse();
    const { token } = await login.getToken(managementScope(login.cloud));
    const who: Finding = { name, state: "ok", found: login.who };
    const subscription = await subscriptionInUse(login, settings);
    const asked = { stack, value, structure, login, token, subscription };
    return [who, ...(await Promise.all([examineRights(asked), roomFor(asked)])).flat()];
  } catch (error) {
    const { found, type } = split((error as Error).message);
    return [{ name, state: "missing", found, ...(type && { type }) }];
  }
}

/** A message ends with its remedy. */
function split(message: string): { found: string; type?: string } {
  const at = message.lastIndexOf(": ");
  return at < 0
    ? { found: message }
    : { found: message.slice(0, at), type: message.slice(at + 2).replace(/^type /, "") };
}

/** What is asked of Azure, and as whom. */
interface Asked {
  readonly stack: string | undefined;
  readonly value: (key: string) => unknown;
  readonly structure: (key: string) => unknown;
  readonly login: TokenSource;
  readonly token: string;
  readonly subscription: string | undefined;
}

async function roomFor({ stack, structure, value, login, token, subscription }: Asked): Promise<Finding[]> {
  const spelled = value("azure-native:location");
  if (stack === undefined || subscription === undefined || typeof spelled !== "string") return [];
  const location = spelled.toLowerCase().replaceAll(" ", "");
  const place = { stack, subscription, location, group: ownGroup(value) ?? groupName(stack, location) };
  const { resourceManager } = login.cloud;
  const own = ownOf({ structure, value });
  const asked = { resourceManager, token };
  return Promise.all([examineQuota(place, own, asked), examinePolicies(own, { ...asked, subscription, location })]);
}

/** A dial's value, also where `pulumi config set` wrote it as JSON. */
function ownOf({ structure, value }: Pick<Asked, "structure" | "value">): (key: string) => unknown {
  return (key) => {
    const plain = value(`sealed-onion:${key}`);
    return typeof plain === "string" && /^[[{]/.test(plain) ? structure(`sealed-onion:${key}`) : plain;
  };
}

async function examineRights({ stack, structure, value, login, token, subscription }: Asked): Promise<Finding> {
  const name = "rights";
  if (!subscription) {
    return {
      name,
      state: "warning",
      found: "not looked at: no subscription is named",
      type: "export ARM_SUBSCRIPTION_ID=ID",
    };
  }
  const group = ownGroup(value) ?? groupName(stack ?? "", `${value("azure-native:location")}`);
  const scopes = [`/subscriptions/${subscription}`, `/subscriptions/${subscription}/resourceGroups/${group}`];
  const answers = await Promise.all(scopes.map((scope) => permissionsAt(login, scope, token)));
  const known = answers.filter((answer) => answer !== undefined);
  if (known.length === 0) {
    const found = `subscription ${subscription} does not say what this login may do`;
    return { name, state: "warning", found, type: "az account show, or ask who owns the subscription" };
  }
  const missing = missingActions(partsFor(ownOf({ structure, value })), known.flat());
  if (missing.length === 0) return { name, state: "ok", found: `all that up does in subscription ${subscription}` };
  const more = missing.length > 3 ? ` and ${missing.length - 3} more` : "";
  const found = `subscription ${subscription} does not let this login do ${missing.slice(0, 3).join(", ")}${more}`;
  const type =
    "npm run doctor -- --role > role.json && az role definition create --role-definition role.json, and have it assigned";
  return { name, state: "missing", found, type };
}

/** The id of the subscription that the provider works in. */
export async function subscriptionInUse(login: TokenSource, settings: ProviderSettings): Promise<string | undefined> {
  return settings.subscriptionId?.value ?? process.env.AZURE_SUBSCRIPTION_ID ?? (await ofAz(login));
}

async function ofAz({ login }: TokenSource): Promise<string | undefined> {
  if (login.how !== "az") return undefined;
  const argv = ["account", "show", "--query", "id", "--output", "tsv"];
  const { code, stdout } = await runChild("az", argv, { deadlineMs: 60_000 });
  return code === 0 ? stdout.toString("utf8").trim() : undefined;
}

/** Source: https://learn.microsoft.com/rest/api/authorization/permissions */
async function permissionsAt({ cloud }: TokenSource, scope: string, token: string): Promise<Permission[] | undefined> {
  const path = `${scope}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01`;
  const headers = { authorization: `Bearer ${token}`, accept: "application/json" };
  const { status, body } = await askAzure(`https://${cloud.resourceManager}${path}`, { headers });
  return status === 200 ? (body as { value: Permission[] }).value : undefined;
}

function ownGroup(value: (key: string) => unknown): string | undefined {
  const { resourceGroup } = (value("sealed-onion:existing") ?? {}) as { resourceGroup?: string };
  return resourceGroup?.split("/").at(-1);
}
