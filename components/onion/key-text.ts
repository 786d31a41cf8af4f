/** What a file that holds a key in one of its forms is not longer than. Bytes. */
const LONGEST_FILE = 4096;

/**
 * Brings the ways in which a secret key is kept to tor's own file: base64 in one line or wrapped as `base64` prints it,
 * with any line ends; `ED25519-V3:` and base64, as tor's control port prints; the YAML that `mkp224o -y` writes; tor's file with a
 * line break too many.
 * @param header what tor's file starts with
 * @returns anything else as it is, for the checks to refuse
 * @throws if there are several keys
 */
export function secretKeyFile(content: Uint8Array, header: Buffer, length: number): Uint8Array {
  if (header.equals(content.subarray(0, header.length))) return withoutLineBreak(content, length);
  if (content.length > LONGEST_FILE) return content;
  const text = Buffer.from(content).toString("latin1");
  const inYaml = [...text.matchAll(/^hs_ed25519_secret_key:[ \t]*(\S+)[ \t]*\r?$/gm)].map(([, base64 = ""]) => base64);
  if (inYaml.length > 1) throw new Error(`there are ${inYaml.length} onion keys in it: keep the one that is meant`);
  const bare = inYaml[0] ?? text.replace(/^\u00ef\u00bb\u00bf/, "").replace(/\s+/g, "");
  const [, control, base64] = /^(ED25519-V3:)?([A-Za-z0-9+/]+={0,2})$/.exec(bare) ?? [];
  if (base64 === undefined) return content;
  const decoded = Buffer.from(base64, "base64");
  if (control !== undefined) return Buffer.concat([header, decoded]);
  return header.equals(decoded.subarray(0, header.length)) ? decoded : content;
}

/** An editor, or `echo` behind `cat`, ends a file with a line break. A whole file's own last bytes are left alone. */
function withoutLineBreak(content: Uint8Array, length: number): Uint8Array {
  const rest = Buffer.from(content.subarray(length)).toString("latin1");
  return /^\r?\n$/.test(rest) ? content.subarray(0, length) : content;
}
