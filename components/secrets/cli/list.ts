import { timingSafeEqual } from "node:crypto";
import { atOnce } from "../../process/at-once";
import { readIfThere } from "../../process/read-if-there";
import { wordsOf } from "../../process/words";
import { ABSENT_FINGERPRINT, keylessFingerprint } from "../fingerprint";
import { digestOf, publicPartOf, type SealRecord, sealedPath } from "../seal/seal-record";
import { readSealedContent } from "../seal/sealed-content";
import { decrypt } from "../seal/sops";
import type { SecretDeclaration } from "../secret";
import { readPlaintext } from "../sources/read-source";
import type { KeyKind } from "../sources/source";
import { SourceError } from "../sources/source-error";
import { keyKindOf, type SecretSource, sourceOf } from "../sources/sources";
import type { Stack } from "./stacks";

/** What is known of a secret, without showing it. */
export interface SecretView {
  readonly stack: string;
  readonly name: string;
  /** For people: `file token`, `onion abc…`. */
  readonly source: string;
  /** Of an onion key. */
  readonly hostname?: string;
  /** Of another generated key. */
  readonly publicKey?: string;
  /** "changed": the file is not the one of its record. "undeclared": sealed, but no longer in the configuration; the next `pulumi up` removes it. */
  readonly state: "sealed" | "not sealed" | "missing" | "damaged" | "changed" | "undeclared";
  readonly recipients: { readonly vault: boolean; readonly age: readonly string[]; readonly pgp: readonly string[] };
  /** The versioned URL of the key that it is sealed for. */
  readonly keyUrl?: string;
  /** Whether that is the key that seals it now: the stack's, or its front end's. */
  readonly currentKey?: boolean;
  readonly sealedAt?: string;
  /** What the source says now beside what is sealed; a `command` is not run and a `pass` entry not decrypted. */
  readonly sourceIs: "same" | "different" | "absent" | "unknown";
  /** Whether it opens with the credentials at hand; undefined with `--offline`. */
  readonly opens?: boolean;
  /** Why it does not open, or is not the one of its record. */
  readonly reason?: string;
}

/** Looks at every secret of the stacks, sealed or declared. @param offline asks no vault */
export function viewSecrets(stacks: readonly Stack[], offline: boolean): Promise<SecretView[]> {
  const all = stacks.flatMap((stack) => {
    const names = new Set([...stack.declarations.map(({ name }) => name), ...stack.records.keys()]);
    return [...names].sort().map((name) => ({ stack, name }));
  });
  return atOnce(all, ({ stack, name }) => view(stack, name, offline));
}

async function view(stack: Stack, name: string, offline: boolean): Promise<SecretView> {
  const declaration = stack.declarations.find((one) => one.name === name);
  const record = stack.records.get(name);
  const source = declaration?.source ?? record?.source;
  const content = readIfThere(sealedPath(stack.name, name));
  const wrapped = content && readSealedContent(content);
  const keyUrl = wrapped?.keyUrls[0];
  const opened = offline || !wrapped ? {} : await open(content);
  const publicPart = await publicPartIn(record, opened.plaintext);
  const seen: SecretView = {
    stack: stack.name,
    name,
    source: source ? sourceOf(source).description : "",
    ...(publicPart && (record?.onion ? { hostname: publicPart } : { publicKey: publicPart })),
    state: stateOf(declaration, record, content, wrapped !== undefined),
    recipients: { vault: keyUrl !== undefined, age: wrapped?.age ?? [], pgp: wrapped?.pgp ?? [] },
    ...(keyUrl && { keyUrl, currentKey: keyUrl === stack.keyUrlOf(name) }),
    ...(record && { sealedAt: record.sealedAt }),
    sourceIs: declaration ? await compareSource(stack, declaration, record, opened.plaintext) : "unknown",
    ...(!offline && wrapped && { opens: opened.plaintext !== undefined }),
    ...withReason(opened.reason ?? whyChanged(record, content, publicPart)),
  };
  opened.plaintext?.fill(0);
  return seen;
}

/** What is sealed says it better than its record. */
async function publicPartIn(record: SealRecord | undefined, opened: Buffer | undefined): Promise<string | undefined> {
  const recorded = record && publicPartOf(record);
  if (record === undefined || recorded === undefined || opened === undefined) return recorded;
  try {
    return await kindOf(record)?.publicPart(opened);
  } catch {
    return undefined; // it holds no such key
  }
}

function kindOf({ onion, source }: { readonly onion?: unknown; readonly source: SecretSource }): KeyKind | undefined {
  return keyKindOf({ source, isOnion: onion !== undefined });
}

function withReason(reason: string | undefined): Pick<SecretView, "reason"> {
  return reason === undefined ? {} : { reason };
}

function whyChanged(
  record: SealRecord | undefined,
  content: Buffer | undefined,
  publicPart: string | undefined,
): string | undefined {
  if (record === undefined || content === undefined || record.digest === digestOf(content)) return undefined;
  const was = publicPartOf(record);
  const holds = publicPart ?? `no ${kindOf(record)?.what ?? "key"}`;
  const keys = was === publicPart ? "" : `, it holds ${holds}, the record says ${was}`;
  return `the sealed file is not the one of its record${keys}: npm run secrets -- adopt NAME, or git checkout it`;
}

interface Opened {
  plaintext?: Buffer;
  reason?: string;
}

async function open(content: Buffer): Promise<Opened> {
  try {
    return { plaintext: await decrypt(content, { patienceMs: 20_000, attempts: 1 }) };
  } catch (error) {
    return { reason: wordsOf(error) };
  }
}

function stateOf(
  declaration: SecretDeclaration | undefined,
  record: SealRecord | undefined,
  content: Buffer | undefined,
  isWhole: boolean,
): SecretView["state"] {
  if (content !== undefined && !isWhole) return "damaged";
  if (content === undefined) return record ? "missing" : "not sealed";
  if (record?.digest !== digestOf(content)) return "changed";
  return declaration ? "sealed" : "undeclared";
}

async function compareSource(
  stack: Stack,
  declaration: SecretDeclaration,
  record: SealRecord | undefined,
  opened: Buffer | undefined,
): Promise<SecretView["sourceIs"]> {
  if (record === undefined) return "unknown";
  try {
    const fingerprint = keylessFingerprint(declaration);
    if (fingerprint === undefined) return opened ? await compareContent(stack, declaration, opened) : "unknown";
    if (fingerprint !== record.fingerprint) return "different";
    return record.byHand ? "unknown" : "same";
  } catch (error) {
    if (error instanceof SourceError) return error.absent ? "absent" : "different";
    throw error;
  }
}

async function compareContent(
  stack: Stack,
  declaration: SecretDeclaration,
  opened: Buffer,
): Promise<"same" | "different"> {
  const { content } = await readPlaintext({
    ...declaration,
    stack: stack.name,
    isOnion: declaration.kind === "onion",
    expectedHostname: "",
    fingerprint: ABSENT_FINGERPRINT,
  });
  const isSame = content.length === opened.length && timingSafeEqual(content, opened);
  content.fill(0);
  return isSame ? "same" : "different";
}
