import { onionHostname, parseOnionHostname } from "../../onion/hostname";
import { formatSecretKeyFile, generateOnionKey, type OnionKey, parseOnionKey, wipeOnionKey } from "../../onion/keys";
import { readIfThere } from "../seal/seal-record";
import type { SealRequest } from "../seal/seal-request";
import { readVariable } from "./environment";
import { readSourceFile } from "./file";
import { SourceError } from "./source-error";

/** What is to be sealed. The content is the caller's to wipe. */
export interface Plaintext {
  readonly content: Buffer;
  /** Of an onion key. */
  readonly hostname?: string;
}

type Reading = Pick<SealRequest, "source" | "isOnion" | "expectedHostname" | "name">;

/**
 * Takes a secret's plaintext from its source into memory, and nowhere else. An onion key is checked and brought to
 * the form that tor reads.
 * @throws SourceError that names the source and holds no byte of the secret
 */
export async function readPlaintext(request: Reading): Promise<Plaintext> {
  const { source } = request;
  if ("onion" in source) return onionPlaintext(await newOnionKey(source.onion.prefix));
  const content = await readSource(source);
  if (!request.isOnion) return { content };
  try {
    const plaintext = onionPlaintext(await parseOnionKey(content));
    checkHostname(request, plaintext.hostname);
    return plaintext;
  } finally {
    content.fill(0);
  }
}

/** @throws SourceError if the onion key does not have the hostname that is expected of it */
export function checkHostname({ expectedHostname, name }: Reading, hostname: string): void {
  if (!expectedHostname) return;
  const expected = readExpectedHostname(expectedHostname);
  if (expected === hostname) return;
  throw new SourceError(`onion key ${name} is ${hostname}, not ${expected}: correct its source or its hostname`);
}

/** @param expected `….onion`, or the path of tor's `hostname` file */
function readExpectedHostname(expected: string): string {
  if (expected.trim().toLowerCase().endsWith(".onion")) return parseOnionHostname(expected).hostname;
  const content = readIfThere(expected);
  if (content === undefined) throw new SourceError(`hostname file ${expected} does not exist: correct its path`);
  return parseOnionHostname(content.toString("utf8")).hostname;
}

function onionPlaintext(key: OnionKey): Plaintext & { hostname: string } {
  const plaintext = { content: formatSecretKeyFile(key), hostname: onionHostname(key.publicKey) };
  wipeOnionKey(key);
  return plaintext;
}

async function newOnionKey(prefix: string | undefined): Promise<OnionKey> {
  if (!prefix) return generateOnionKey();
  const { findVanityKey } = await import("../../onion/vanity/vanity.js");
  return findVanityKey(prefix, { report: (line) => console.error(line) });
}

/** The modules that start programs are loaded only by those who need them. */
async function readSource(source: Exclude<SealRequest["source"], { onion: unknown }>): Promise<Buffer> {
  if ("file" in source) return readSourceFile(source.file);
  if ("env" in source) return readVariable(source.env);
  const { readShared } = await import("./shared-reading.js");
  const { readCommand } = await import("./command.js");
  const { readPassEntry } = await import("./pass.js");
  return readShared(source, () => ("pass" in source ? readPassEntry(source.pass) : readCommand(source.command)));
}
