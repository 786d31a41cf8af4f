import * as path from "node:path";
import { readIfThere } from "../process/read-if-there";
import { follows } from "./rules";
import { stackFolder } from "./stack-folder";

/** What programs ask of `facts.json`, which `pulumi up` has written. */
export interface StackFacts {
  readonly vault?: { readonly keyUrl?: string };
  readonly status?: { readonly containerUrl: string };
  /** By service, the machines of its address; of a stack of several machines alone. */
  readonly replica?: { readonly services?: Readonly<Record<string, readonly { readonly secret: string }[]>> };
  /** Of a front end alone: the addresses that it publishes. */
  readonly frontEnd?: { readonly services?: Readonly<Record<string, { readonly secret: string }>> };
  readonly services?: Readonly<Record<string, { readonly hostname: string; readonly ssh?: boolean }>>;
}

/** Where a stack's facts lie, relative to the project's root. */
export function factsPath(stack: string): string {
  return path.join(stackFolder(stack), "facts.json");
}

/** @returns undefined before the first `pulumi up` @throws if the file is no JSON, with its name */
export function readStackFacts(stack: string): StackFacts | undefined {
  const content = readIfThere(factsPath(stack));
  if (content === undefined) return undefined;
  try {
    const facts = JSON.parse(content.toString("utf8")) as StackFacts;
    const { keyUrl } = facts.vault ?? {};
    if (keyUrl === undefined || follows("keyUrl", keyUrl)) return facts;
  } catch {
    throw new Error(`${factsPath(stack)} is no JSON: type git checkout -- ${factsPath(stack)}, or pulumi up`);
  }
  throw new Error(`${factsPath(stack)} names no Key Vault key: type git checkout -- ${factsPath(stack)}, or pulumi up`);
}
