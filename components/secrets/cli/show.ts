import { readIfThere } from "../../process/read-if-there";
import { missingSealedFile, sealedPath } from "../seal/seal-record";
import { decrypt } from "../seal/sops";
import { findDeclared } from "./declared";

/**
 * Prints a secret in clear.
 * @param force also where standard output is no terminal, byte for byte
 */
export async function show(name: string, stack: string | undefined, force: boolean): Promise<void> {
  const { stack: found } = findDeclared(name, stack);
  const isTerminal = process.stdout.isTTY === true;
  if (!isTerminal && !force) {
    throw new Error(`show prints ${name} in clear, to a terminal only: add --force to print it into a pipe or a file`);
  }
  const content = readIfThere(sealedPath(found.name, name));
  if (content === undefined) throw new Error(missingSealedFile(found.name, name));
  const plaintext = await decrypt(content);
  await print(isTerminal ? forTerminal(plaintext) : plaintext);
  plaintext.fill(0);
}

/** A terminal obeys control characters: what is not plain text is shown in base64. */
function forTerminal(plaintext: Buffer): string {
  const text = plaintext.toString("utf8");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  const isText = Buffer.from(text).equals(plaintext) && !/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(text);
  if (!isText) console.error("not plain text, in base64:");
  const shown = isText ? text : plaintext.toString("base64");
  return shown.endsWith("\n") ? shown : `${shown}\n`;
}

function print(content: string | Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(content, (error) => (error ? reject(error) : resolve()));
  });
}
