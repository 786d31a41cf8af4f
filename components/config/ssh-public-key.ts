import { type Field, mustBe, mustBeUnseen } from "./fields";

const ALLOWED = "an SSH public key (ssh-ed25519 or ssh-rsa, then its base64 text)";

/**
 * Reads an SSH public key as `ssh-keygen` writes it and checks what it says of itself.
 * @returns type and base64 text without the comment, so that two spellings of one key are equal
 */
export function parseSshPublicKey(field: Field): string {
  const key = field.value;
  if (typeof key !== "string") throw mustBeUnseen(field, ALLOWED);
  if (/private key/i.test(key)) throw mustBeUnseen(field, "a public key, not a private one");
  const [type, base64] = /^(ssh-ed25519|ssh-rsa) ([A-Za-z0-9+/]+={0,2})( [^\r\n]*)?\s*$/.exec(key)?.slice(1) ?? [];
  if (type === undefined || base64 === undefined) throw mustBe(field, ALLOWED);
  const parts = sshStrings(Buffer.from(base64, "base64"));
  if (parts?.[0]?.toString("latin1") !== type) throw mustBe(field, "a whole SSH public key, of the type that it names");
  if (type === "ssh-ed25519" && (parts.length !== 2 || parts[1]?.length !== 32)) {
    throw mustBe(field, "an ssh-ed25519 key of 32 bytes");
  }
  if (type === "ssh-rsa" && (parts.length !== 3 || (parts[2]?.length ?? 0) < 256)) {
    throw mustBe(field, "an ssh-rsa key of at least 2048 bits");
  }
  return `${type} ${base64}`;
}

/** The length-prefixed strings of a key blob (RFC 4253, section 6.6), or undefined if it is cut short. */
function sshStrings(blob: Buffer): Buffer[] | undefined {
  const parts: Buffer[] = [];
  for (let offset = 0; offset < blob.length; ) {
    if (blob.length < offset + 4) return undefined;
    const end = offset + 4 + blob.readUInt32BE(offset);
    if (blob.length < end) return undefined;
    parts.push(blob.subarray(offset + 4, end));
    offset = end;
  }
  return parts;
}
