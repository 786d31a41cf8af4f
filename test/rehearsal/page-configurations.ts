import * as fs from "node:fs";
import { parse } from "yaml";

const PAGE = "components/stack/configurations.md";

/** The whole configurations that the page shows. */
export const CONFIGURATIONS = ["smallest", "company", "fleet"] as const;
export type ConfigurationName = (typeof CONFIGURATIONS)[number];

/** Where a configuration of the page is tried. */
interface Here {
  readonly cloud: { readonly subscriptionId: string };
  /** As whom the program runs, in the configuration's spelling. */
  readonly sealer: string;
}

/** As Pulumi keeps it, with the ids of this subscription and principal in the place of the page's. */
export function configurationOfPage(name: ConfigurationName, { cloud, sealer }: Here): Record<string, string> {
  const entries = Object.entries(readPage()[name] ?? {}).map(([key, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const here = text.replaceAll("01234567-89ab-cdef-0123-456789abcdef", cloud.subscriptionId);
    return [key, here.replace(/servicePrincipal:[0-9a-f-]+/, sealer)] as const;
  });
  return Object.fromEntries(entries);
}

/** By the heading above each. */
function readPage(): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  const found = fs.readFileSync(PAGE, "utf8").matchAll(/^## (\w+)\n[\s\S]*?```yaml\n([\s\S]*?)```/gm);
  return Object.fromEntries(
    [...found].map(([, name = "", text = ""]) => [name.toLowerCase(), (parse(text) as { config: object }).config]),
  ) as Record<string, Record<string, unknown>>;
}

interface Subscription {
  /** Makes a resource as somebody else would, and answers its id. */
  make(token: string, inputs: Record<string, unknown>): Promise<string>;
  /** Registers a feature of Microsoft.Compute. */
  register(feature: string): void;
}

/** Makes what the company on the page has. @returns the id of the subnet for its machines */
export async function makeHub({ make, register }: Subscription): Promise<string> {
  const hub = { resourceGroupName: "hub" };
  await make("resources:ResourceGroup", { ...hub, location: "westeurope" });
  const network = { ...hub, virtualNetworkName: "hub-network" };
  await make("network:VirtualNetwork", { ...network, addressSpace: { addressPrefixes: ["10.9.0.0/16"] } });
  const subnet = await make("network:Subnet", { ...network, subnetName: "onions", addressPrefix: "10.9.1.0/24" });
  await make("operationalinsights:Workspace", { ...hub, workspaceName: "hub-logs" });
  register("EncryptionAtHost");
  return subnet;
}
