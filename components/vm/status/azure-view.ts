import { type AzureAnswer, askAzure } from "../../azure/azure-request";

/** What Azure says of a machine. */
export interface AzureView {
  /** `running`, `deallocated`, … ; undefined where Azure does not know the machine. */
  readonly power: string | undefined;
  /** `Succeeded`, `Creating`, `Failed`, … */
  readonly provisioning: string;
  /** The last lines of the serial console: what is left of a machine that does not speak. */
  readonly console: readonly string[];
}

/** As whom Azure is asked. */
export interface Asker {
  /** `management.azure.com` */
  readonly resourceManager: string;
  readonly token: string;
  /** @default the network */
  readonly ask?: typeof askAzure;
}

const API_VERSION = "2024-11-01";
const SHOWN_LINES = 5;
const LONGEST_LINE = 200;
/** Of terminals: colours, the cursor, and all that is no text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: a console's log is full of them
const CONTROL = /\u001b\[[0-9;?]*[A-Za-z]|[\u0000-\u001f\u007f-\u009f]/g;

/**
 * Power, provisioning and console of a VM. Sources: virtual-machines/get and retrieve-boot-diagnostics-data of
 * https://learn.microsoft.com/rest/api/compute/
 * @param id `/subscriptions/…/virtualMachines/NAME`
 * @throws with Azure's own code where it does not say
 */
export async function azureView(id: string, asker: Asker): Promise<AzureView> {
  const answer = await askFor(asker, id, "", "$expand=instanceView&");
  if (answer.status === 404) return { power: undefined, provisioning: "gone", console: [] };
  if (answer.status !== 200) throw new Error(`Azure does not say how ${nameOf(id)} is (${reasonOf(answer)})`);
  const { properties = {} } = answer.body as { properties?: VmProperties };
  const codes = (properties.instanceView?.statuses ?? []).map(({ code = "" }) => code);
  const power = codes.find((code) => code.startsWith("PowerState/"))?.slice("PowerState/".length) ?? "unknown";
  return { power, provisioning: properties.provisioningState ?? "unknown", console: await consoleOf(id, asker) };
}

interface VmProperties {
  readonly provisioningState?: string;
  readonly instanceView?: { readonly statuses?: readonly { readonly code?: string }[] };
}

/** Azure gives the console's log by an address of its own, which needs no login and is good for minutes. */
async function consoleOf(id: string, asker: Asker): Promise<string[]> {
  const answer = await askFor(asker, id, "/retrieveBootDiagnosticsData", "");
  const { serialConsoleLogBlobUri: log } = (answer.body ?? {}) as { serialConsoleLogBlobUri?: string };
  if (answer.status !== 200 || log === undefined) return [`the console is not shown (${reasonOf(answer)})`];
  const { status, text } = await (asker.ask ?? askAzure)(log, { headers: {} });
  if (status === 404) return [];
  return status === 200 ? lastLines(text) : [`the console is not shown (HTTP ${status})`];
}

/** The last lines that say something; those of ours begin with `sealed-onion:`, and count before the kernel's. */
export function lastLines(log: string): string[] {
  const lines = log
    .split(/\r?\n/)
    .map((line) => line.replace(CONTROL, "").trim().slice(0, LONGEST_LINE))
    .filter((line) => line !== "");
  const own = lines.filter((line) => line.includes("sealed-onion:"));
  return (own.length > 0 ? own : lines).slice(-SHOWN_LINES);
}

function askFor({ resourceManager, token, ask = askAzure }: Asker, id: string, action: string, query: string) {
  const url = `https://${resourceManager}${id}${action}?${query}api-version=${API_VERSION}`;
  const method = action === "" ? "GET" : "POST";
  return ask(url, { method, headers: { authorization: `Bearer ${token}`, accept: "application/json" } });
}

function reasonOf({ status, body }: AzureAnswer): string {
  const { error } = (body ?? {}) as { error?: { code?: string } };
  return error?.code ?? `HTTP ${status}`;
}

function nameOf(id: string): string {
  return id.split("/").at(-1) ?? id;
}
