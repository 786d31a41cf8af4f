import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type LoopbackAzure, startAzure } from "loopback-azure/azure";
import { ask, via } from "loopback-azure/client";
import { simulatedAzureNative } from "loopback-azure/provider/azure-native";
import type { ResourceProvider } from "loopback-azure/provider/provider";
import { FOOTER_SIZE, fixedVhdFooter } from "../../../components/image/disk/vhd-footer";
import { Bindings, differences } from "./comparison";
import type { About, Entry, HttpEntry, ResourceEntry } from "./entries";
import { answeredHeaders, readBody } from "./http-entry";
import type { Json } from "./redaction";

/** One recorded thing that the stand-in for Azure does otherwise. */
export interface Difference {
  /** What was asked: `create azure-native:keyvault:Vault`, `POST https://…`. */
  readonly what: string;
  /** Where and how the answers differ, a line each. */
  readonly lines: readonly string[];
}

/** What a replay needs to know while it goes on. */
interface Rerun {
  readonly azure: LoopbackAzure;
  readonly provider: ResourceProvider;
  readonly bindings: Bindings;
  /** Sizes of the page blobs, by URL. */
  readonly disks: Map<string, number>;
  /** The resources as they are now, by their recorded id. */
  readonly resources: Map<string, { id: string; inputs: Record<string, unknown>; outputs: Record<string, unknown> }>;
}

const HOSTS: readonly [host: RegExp, audience: string][] = [
  [/\.vault\.azure\.net$/, "https://vault.azure.net"],
  [/\.blob\.core\.windows\.net$/, "https://storage.azure.com"],
  [/^management\.azure\.com$/, "https://management.azure.com/"],
];

/**
 * Asks a fresh stand-in for Azure what a recorded run asked Azure itself, in the same order.
 * @returns what it answers otherwise; empty where nothing
 * @throws where the recording does not say who asked
 */
export async function replay(entries: readonly Entry[]): Promise<Difference[]> {
  const about = entries.find((entry): entry is About => entry.kind === "about");
  if (about === undefined) throw new Error("the recording does not say who asked: record it again");
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "recorded-"));
  const { tenantId, subscriptionId, objectId } = about;
  const azure = await startAzure({ directory, tenantId, subscriptionId, workstation: { objectId } });
  try {
    const provider = simulatedAzureNative({ cloud: azure.cloud, principal: azure.workstation.principal });
    const rerun: Rerun = { azure, provider, bindings: new Bindings(), disks: new Map(), resources: new Map() };
    const found: Difference[] = [];
    for (const entry of inOrder(entries)) {
      const [what, lines] =
        entry.kind === "http"
          ? [`${entry.method} ${entry.url}`, await again(rerun, entry)]
          : [`${entry.operation} ${entry.type}`, await make(rerun, entry)];
      if (lines.length > 0) found.push({ what, lines });
    }
    return found;
  } finally {
    await azure.close();
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

/** Resources are written down after an update, and were made in the midst of it. */
function inOrder(entries: readonly Entry[]): (HttpEntry | ResourceEntry)[] {
  const asked = entries.filter((entry): entry is HttpEntry | ResourceEntry => entry.kind !== "about");
  const rank = ({ kind }: Entry) => (kind === "resource" ? 0 : 1);
  return asked.sort((left, right) => left.at - right.at || rank(left) - rank(right));
}

async function make({ provider, bindings, resources }: Rerun, entry: ResourceEntry): Promise<string[]> {
  const { type, operation, outputs } = entry;
  const inputs = bindings.json(entry.inputs) as Record<string, unknown>;
  const common = { urn: `urn:pulumi:recorded::recorded::${type}::recorded`, type, name: "recorded", preview: false };
  const before = resources.get(entry.id);
  try {
    const { failures } = await provider.check({
      ...common,
      olds: before?.inputs,
      news: inputs,
      randomSeed: new Uint8Array(),
    });
    if (failures.length > 0) return failures.map(({ property, reason }) => `${property}: refused: ${reason}`);
    const made =
      operation === "create" || before === undefined
        ? await provider.create({ ...common, inputs })
        : {
            id: before.id,
            outputs: await provider.update({
              ...common,
              ...{ id: before.id, oldInputs: before.inputs, oldOutputs: before.outputs, inputs },
            }),
          };
    resources.set(entry.id, { id: made.id, inputs, outputs: made.outputs });
    return [
      ...differences(entry.id, made.id, bindings, "id"),
      ...differences(outputs, made.outputs as { [name: string]: Json }, bindings),
    ];
  } catch (error) {
    return [`Azure did it, the stand-in refuses: ${(error as Error).message}`];
  }
}

async function again({ azure, bindings, disks }: Rerun, entry: HttpEntry): Promise<string[]> {
  const url = bindings.text(entry.url);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(entry.headers)) headers[name] = bindings.text(value, name);
  if (headers.authorization !== undefined) headers.authorization = `Bearer ${await tokenFor(azure, url)}`;
  delete headers["content-length"]; // of the body as it is now
  const body = pageOf(disks, url, headers) ?? contentOf(entry.body, bindings);
  const reply = await ask(via(azure.workstation.env), url, { method: entry.method, headers, ...(body && { body }) });
  const head = Buffer.from(reply.text);
  const answer = {
    status: reply.status,
    headers: Object.fromEntries(answeredHeaders(reply.headers)),
    body: readBody({ bytes: head.length, head }, reply.headers),
  };
  return differences({ ...entry.answer }, answer, bindings);
}

async function tokenFor({ cloud, tokens, workstation }: LoopbackAzure, url: string): Promise<string> {
  const host = new URL(url).hostname;
  const [, audience = ""] = HOSTS.find(([pattern]) => pattern.test(host)) ?? [];
  const principal = cloud.directory.principal(workstation.principal.objectId);
  if (principal === undefined) throw new Error("the stand-in does not know who asks");
  return (await tokens.issue({ principal, audience })).token;
}

/** JSON as it was; of all else only the length is known. */
function contentOf(body: Json, bindings: Bindings): string | Buffer | undefined {
  if (body === null) return undefined;
  const { bytes } = body as { bytes?: number };
  return typeof bytes === "number" ? Buffer.alloc(bytes) : JSON.stringify(bindings.json(body));
}

/**
 * A recording holds no disks, and an image is made of a disk only: of each range that was written one empty page is, and of
 * the last one the end, with the footer of an empty disk. Changes the range's header to fit.
 */
function pageOf(disks: Map<string, number>, url: string, headers: Record<string, string>): Buffer | undefined {
  const [blob = ""] = url.split("?");
  if (headers["x-ms-blob-type"] === "PageBlob") disks.set(blob, Number(headers["x-ms-blob-content-length"]));
  if (headers["x-ms-page-write"] !== "update") return undefined;
  const name = headers["x-ms-range"] === undefined ? "range" : "x-ms-range";
  const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(headers[name] ?? "")?.map(Number) ?? [];
  const size = disks.get(blob);
  if (start === undefined || end === undefined || size === undefined) return undefined;
  const isLast = end === size - 1;
  const from = isLast ? end + 1 - FOOTER_SIZE : start;
  headers[name] = `bytes=${from}-${from + FOOTER_SIZE - 1}`;
  return isLast ? fixedVhdFooter(size - FOOTER_SIZE, Buffer.alloc(16)) : Buffer.alloc(FOOTER_SIZE);
}
