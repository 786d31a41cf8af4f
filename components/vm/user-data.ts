import * as fs from "node:fs";
import { sealedPath } from "../secrets/seal/seal-record";
import { forVaultOnly } from "../secrets/seal/sealed-content";
import type { Release } from "../system/publish/release";

/** What Azure takes of user data, in bytes before base64. */
const MOST_BYTES = 65_535;

/**
 * The VM's user data: a stack's sealed files without what is wrapped for others than the vault, and the system that it is asked to run where it takes systems in place;
 * base64 of `{"version":1,"system":<release>,"secrets":{NAME: <sealed file>}}`.
 * @param which of several machines it is for, which then stands beside `secrets`
 * @throws if a sealed file is missing, or all of them do not fit
 */
export function userData(
  stack: string,
  names: readonly string[],
  which: { readonly replica?: number; readonly system?: Release | undefined } = {},
): string {
  const sorted = [...names].sort();
  const secrets = sorted.map((name) => [
    name,
    JSON.parse(forVaultOnly(fs.readFileSync(sealedPath(stack, name))).toString("utf8")),
  ]);
  const content = Buffer.from(JSON.stringify({ version: 1, ...which, secrets: Object.fromEntries(secrets) }));
  if (content.length > MOST_BYTES) {
    const problem = `${names.length} sealed files are ${content.length} bytes, user data holds ${MOST_BYTES}`;
    throw new Error(`${problem}: set sealed-onion:bootAgent.userDataSecrets to false`);
  }
  return content.toString("base64");
}
