import { randomBytes } from "node:crypto";
import { groupName } from "../../../components/azure/azure-names";
import { costsWith } from "../../../components/doctor/cost";
import { DEFAULT_MACHINE } from "../../../components/vm/machine";

/** On all that a live rehearsal makes: until when it may be there, as an ISO 8601 time. */
export const LIVE_TAG = "sealed-onion-live";

const LIMIT_HOURS = 2;
const HOURS_A_MONTH = 730;

/** What one live rehearsal makes. */
export interface LivePlan {
  stack: string;
  region: string;
  resourceGroup: string;
  /** When everything of it may be removed by a clean-up. */
  expires: Date;
  /** Pulumi configuration besides the secrets: objects are JSON. */
  config: Record<string, string>;
}

/** @param vhd a disk that was built elsewhere, where Nix does not build the image here */
export function livePlan(region: string, vhd: string | undefined, now = new Date()): LivePlan {
  const stack = `live-${randomBytes(3).toString("hex")}x`;
  const expires = new Date(now.getTime() + LIMIT_HOURS * 3_600_000);
  const config = {
    "azure-native:location": region,
    "sealed-onion:tags": JSON.stringify({ [LIVE_TAG]: expires.toISOString() }),
    "sealed-onion:bootAgent": JSON.stringify({ userDataSecrets: true }),
    ...(vhd === undefined ? {} : { "sealed-onion:image": JSON.stringify({ vhd }) }),
  };
  return { stack, region, resourceGroup: groupName(stack, region), expires, config };
}

/** What will be made, where, for how long, and what it costs: said before anything starts. */
export function planText({ resourceGroup, region, expires }: LivePlan, subscriptionId: string, who: string): string {
  const defaults: Readonly<Record<string, unknown>> = DEFAULT_MACHINE;
  const costs = costsWith((key) => defaults[key]);
  const hourly = costs.reduce((sum, { usd }) => sum + (usd ?? 0), 0) / HOURS_A_MONTH;
  return [
    `this makes, in subscription ${subscriptionId}, as ${who}:`,
    `  resource group ${resourceGroup} in ${region}, with a vault, a key, an identity, a storage account, an image, a network`,
    ...costs.map(({ what, usd }) => `  ${what}: ${usd === null ? "no price is known" : `${usd} USD a month`}`),
    `it is there for about half an hour, and for at most ${LIMIT_HOURS} hours: about ${hourly.toFixed(2)} USD an hour, list price`,
    `all of it has the tag ${LIVE_TAG}=${expires.toISOString()}, and goes at the end, after Ctrl-C and when its time is over;`,
    "after a crash, npm run rehearse -- --live --clean removes it; a NetworkWatcherRG may stay, which Azure makes itself and",
    "which costs nothing",
    "",
  ].join("\n");
}
