import { createHash } from "node:crypto";
import type { ImageInputs } from "../image";

/** What a disk was made for, as the guest writes it (`nix/lib/made-for.nix`). */
export interface MadeFor {
  readonly stack: string;
  /** SHA-256 of `facts.json`, hexadecimal. */
  readonly facts: string;
  /** By secret, the first 16 digits of the SHA-256 of its sealed file. */
  readonly secrets: Readonly<Record<string, string>>;
  /** `treeParts()` of the guest that it was built of. Absent: an older version of the guest does not say it. */
  readonly tree?: Readonly<Record<string, string>> | undefined;
  /** By what a machine of it takes systems in place. @default it takes none */
  readonly trust?: Trust;
}

/** By what a machine finds its systems, and believes them. */
export interface Trust {
  readonly clientId: string;
  /** `https://ACCOUNT.blob.core.windows.net/systems` */
  readonly containerUrl: string;
  /** `NAME:base64` */
  readonly publicKey: string;
  /** Whether it knows the data disk that is attached to it. @default there is none */
  readonly dataDisk?: boolean;
}

/** What a disk is to be made for. */
export interface Wanted extends Pick<ImageInputs, "facts" | "sealed"> {
  readonly tree: Readonly<Record<string, string>>;
}

const MARK = Buffer.from("sealed-onion-made-for: {");
/** A mark ends within one block of a file system. Bytes. */
export const LONGEST_MARK = 64 * 1024;

/** The marks in a piece of a disk. A piece of a program that writes or reads them is none. */
export function marksIn(piece: Buffer): MadeFor[] {
  const marks: MadeFor[] = [];
  for (let at = piece.indexOf(MARK); at >= 0; at = piece.indexOf(MARK, at + 1)) {
    const start = at + MARK.length - 1;
    const end = piece.indexOf("\n", start);
    const mark = end < 0 ? undefined : parse(piece.toString("utf8", start, Math.min(end, start + LONGEST_MARK)));
    if (mark) marks.push(mark);
  }
  return marks;
}

function parse(text: string): MadeFor | undefined {
  try {
    const { stack, facts, secrets, tree, trust } = JSON.parse(text) as Partial<MadeFor>;
    const isWhole = typeof stack === "string" && typeof facts === "string" && typeof secrets === "object";
    const more = { ...(tree && { tree: { ...tree } }), ...(trust && { trust }) };
    return isWhole ? { stack, facts, secrets: { ...secrets }, ...more } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What a disk has that is not what is declared, in words; none where it is what is declared.
 * @param marks what the disk says of itself
 */
export function outdated(marks: readonly MadeFor[], stack: string, wanted: Wanted): string[] {
  return ofBest(marks, (mark) => differences(mark, stack, wanted));
}

/** Of several marks the one that fits best counts. */
function ofBest(marks: readonly MadeFor[], faultsOf: (mark: MadeFor) => string[]): string[] {
  return marks.map(faultsOf).sort((one, other) => one.length - other.length)[0] ?? [];
}

function differences(mark: MadeFor, stack: string, { facts, sealed, tree }: Wanted): string[] {
  if (mark.stack !== stack) return [`it is one of stack ${mark.stack}`];
  const secrets = Object.entries(sealed).filter(([name, digest]) => mark.secrets[name] !== digest.slice(0, 16));
  const isSame = mark.facts === createHash("sha256").update(facts).digest("hex");
  return [
    ...secrets.map(([name]) => `${name in mark.secrets ? "an older" : "no"} secret ${name}`),
    ...(isSame ? [] : ["other facts (services, secrets' places, addresses)"]),
    ...changedParts(mark.tree ?? tree, tree).map((part) => `another nix/${part}`),
  ];
}

function changedParts(old: NonNullable<MadeFor["tree"]>, now: NonNullable<MadeFor["tree"]>): string[] {
  const all = new Set([...Object.keys(old), ...Object.keys(now)]);
  return [...all].filter((part) => old[part] !== now[part]).sort();
}

/**
 * Why a machine of a disk would take no system of a stack; none where one of its marks is of this stack and trust. What
 * else has changed since it was built, its first system brings.
 */
export function distrusts(marks: readonly MadeFor[], stack: string, trust: Trust): string[] {
  return ofBest(marks, (mark) => distrust(mark, stack, trust));
}

const TRUST = {
  clientId: "it acts as another identity",
  containerUrl: "it looks for systems in another account",
  publicKey: "it believes another signing key",
  dataDisk: "it was made for a machine with a data disk, or for one without, and this is the other",
} as const satisfies Record<keyof Trust, string>;

function distrust(mark: MadeFor, stack: string, trust: Trust): string[] {
  if (mark.stack !== stack) return [`it is one of stack ${mark.stack}`];
  const { trust: made } = mark;
  if (made === undefined) return ["it takes no systems in place"];
  return (Object.keys(TRUST) as (keyof Trust)[]).flatMap((key) => (made[key] === trust[key] ? [] : [TRUST[key]]));
}
