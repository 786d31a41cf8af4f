import * as path from "node:path";
import type { Json } from "./redaction";

/** Where a live rehearsal's recording lies, below the checkout's root: JSON lines. */
export const RECORDING_FILE = path.join(".cache", "live", "recording.jsonl");

/** As whom Azure is asked; ids are placeholders. */
export interface Asker {
  readonly subscriptionId: string;
  readonly tenantId: string;
  readonly objectId: string;
}

/** The first line of a recording. */
export interface About extends Asker {
  readonly kind: "about";
}

/** What Pulumi's provider asked for, and what Azure made of it, in the provider's terms. */
export interface ResourceEntry {
  readonly kind: "resource";
  /** Milliseconds since 1970, when Azure was done. */
  readonly at: number;
  readonly operation: "create" | "update";
  /** `azure-native:keyvault:Vault` */
  readonly type: string;
  readonly id: string;
  readonly inputs: { readonly [name: string]: Json };
  readonly outputs: { readonly [name: string]: Json };
}

/** One request and its answer; bodies are JSON, or `{ bytes: LENGTH }` where they are none. */
export interface HttpEntry {
  readonly kind: "http";
  /** Milliseconds since 1970, when it was answered. */
  readonly at: number;
  readonly method: string;
  readonly url: string;
  readonly headers: { readonly [name: string]: string };
  readonly body: Json;
  readonly answer: {
    readonly status: number;
    readonly headers: { readonly [name: string]: string };
    readonly body: Json;
  };
}

/** A recording is a text of lines, each of which is one of these as JSON. */
export type Entry = About | HttpEntry | ResourceEntry;

/** @throws where a line is none */
export function readEntries(text: string): Entry[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line, index) => {
      const entry = parsed(line);
      if (entry !== undefined && ["about", "http", "resource"].includes(entry.kind)) return entry;
      throw new Error(`line ${index + 1} of the recording is no entry: record it again`);
    });
}

function parsed(line: string): Entry | undefined {
  try {
    return JSON.parse(line) as Entry;
  } catch {
    return undefined;
  }
}
