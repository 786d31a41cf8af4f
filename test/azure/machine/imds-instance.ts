import type { Cloud } from "../cloud";
import { type Answer, json } from "../gateway/exchange";
import { type MachineFacts, machineFacts } from "./machine-facts";

function tagsOf(facts: MachineFacts): { tags: string; tagsList: { name: string; value: string }[] } {
  const entries = Object.entries(facts.resource.tags ?? {});
  return {
    tags: entries.map(([name, value]) => `${name}:${value}`).join(";"),
    tagsList: entries.map(([name, value]) => ({ name, value })),
  };
}

function computeOf({ names }: Cloud, facts: MachineFacts): Record<string, unknown> {
  const { resource } = facts;
  return {
    azEnvironment: names.environment,
    customData: "",
    location: resource.location ?? "",
    name: resource.name,
    osProfile: {
      adminUsername: facts.adminUsername,
      computerName: facts.computerName,
      disablePasswordAuthentication: "true",
    },
    osType: "Linux",
    provider: "Microsoft.Compute",
    publicKeys: facts.publicKeys,
    resourceGroupName: facts.resourceGroupName,
    resourceId: resource.id,
    subscriptionId: facts.subscriptionId,
    ...tagsOf(facts),
    userData: facts.userData,
    vmId: facts.vmId,
    vmSize: facts.vmSize,
    zone: Array.isArray(resource.zones) ? String(resource.zones[0] ?? "") : "",
  };
}

function networkOf(facts: MachineFacts): Record<string, unknown> {
  const { privateIpAddress, publicIpAddress, macAddress } = facts;
  const ipv4 = { ipAddress: [{ privateIpAddress, publicIpAddress }], subnet: [{ address: "10.0.0.0", prefix: "24" }] };
  return { interface: [{ ipv4, ipv6: { ipAddress: [] }, macAddress }] };
}

/** A member of an object or an array, without case as the real service. */
function member(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  const entry = Object.entries(value).find(([key]) => key.toLowerCase() === name.toLowerCase());
  return entry?.[1];
}

function text(status: number, body: string): Answer {
  return { status, headers: { "content-type": "text/plain; charset=utf-8" }, body };
}

/** Names of what lies below, as the service lists a branch in text form: branches end with a slash. */
function listing(branch: object): string {
  return Object.entries(branch)
    .map(([name, value]) => (typeof value === "object" && value !== null ? `${name}/` : name))
    .join("\n");
}

/**
 * `/metadata/instance` and everything below it.
 *
 * @param path below `/metadata/instance`
 * @param format `json` (default for branches) or `text` (the only one for leaves)
 */
export function instanceDocument(cloud: Cloud, machineId: string, path: string, format: string | null): Answer {
  const facts = machineFacts(cloud, machineId);
  const document = { compute: computeOf(cloud, facts), network: networkOf(facts) };
  const steps = path.split("/").filter((step) => step !== "");
  const value = steps.reduce<unknown>(member, document);
  if (value === undefined || value === null) return { ...json(404, { error: "Not found" }), code: "NotFound" };
  if (typeof value === "object") return format === "text" ? text(200, listing(value)) : json(200, value);
  if (format === "text") return text(200, String(value));
  const error = `Bad request. JSON is not supported for leaf nodes: ask for format=text`;
  return { ...json(400, { error }), code: "BadRequest" };
}
