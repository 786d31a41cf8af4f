import { showsPlaintext } from "./clear-text";
import type { SopsFailure } from "./failure";
import { isSealedForExactly, readSealedContent, type SealedContent, type SealFor } from "./sealed-content";

/**
 * Reads what a program that is called sops printed, before anything is done with it: a wrapper, a broken pipe or a
 * vault that answers nonsense also end with exit code 0. No byte of what was printed is in the answer before it is
 * known to be no plaintext.
 * @param program path of the program, for people
 * @returns what is wrong with it; undefined if it holds a plaintext of this length, sealed, for exactly these recipients
 */
export function problemOf(
  printed: Uint8Array,
  plaintext: Uint8Array,
  recipients: SealFor,
  program: string,
): SopsFailure | undefined {
  const isItSops = `check that ${program} is sops itself (sops --version)`;
  const failure = (reason: string, remedy = isItSops): SopsFailure => ({ reason, remedy, passing: false });
  const sealed = readSealedContent(printed);
  if (printed.length === 0) return failure("sops ended well, but printed nothing");
  if (sealed === undefined) return failure(`what sops printed (${printed.length} bytes) is no sealed file`);
  if (sealed.plaintextLength !== plaintext.length) {
    return failure(`what sops sealed is ${sealed.plaintextLength} bytes long, the secret is ${plaintext.length}`);
  }
  const known = [recipients.keyUrl, ...recipients.age, ...recipients.pgp];
  if (showsPlaintext(printed, plaintext, known)) return failure("what sops printed holds the secret in clear");
  if (!isSealedForExactly(sealed, recipients)) return failure(wrongRecipients(sealed, recipients));
  const broken = sealed.wrappedKeys.find(({ isWhole }) => !isWhole);
  if (broken === undefined) return undefined;
  return failure(`the data key for ${broken.recipient} is empty or cut`, "check what answers there, a proxy perhaps");
}

function wrongRecipients(sealed: SealedContent, { keyUrl, age, pgp }: SealFor): string {
  const asked = [keyUrl, ...age, ...pgp];
  const got = [...sealed.keyUrls, ...sealed.age, ...sealed.pgp];
  const missing = asked.filter((recipient) => !got.includes(recipient));
  const besides = [...got.filter((recipient) => !asked.includes(recipient)), ...sealed.others];
  const parts = [
    ...(missing.length > 0 ? [`not for ${missing.join(", ")}`] : []),
    ...(besides.length > 0 ? [`also for ${besides.join(", ")}`] : []),
  ];
  return `sops sealed ${parts.join(" and ")}, unlike what it was asked for`;
}
