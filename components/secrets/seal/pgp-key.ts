import { spawnSync } from "node:child_process";
import type { SopsFailure } from "./failure";

type Said = Pick<SopsFailure, "reason" | "remedy">;

/** Bits of an RSA, ElGamal or DSA key, as Key Vault has none that is shorter either. Keys on curves are short by nature. */
const SHORTEST = 2048;
/** Numbers of algorithms whose keys are as long as SHORTEST: RSA, ElGamal, DSA. Source: RFC 4880, 9.1 */
const LONG = ["1", "2", "3", "16", "17", "20"];

/** gpg looks into files, and asks nobody. Milliseconds. */
const PATIENCE = 5_000;

/**
 * A PGP key that is too short to keep a secret. gpg seals for it all the same.
 * @returns undefined if none is, or gpg cannot be asked: it then says why when it is to seal
 */
export function shortKey(fingerprints: readonly string[]): SopsFailure | undefined {
  for (const fingerprint of fingerprints) {
    const [, , bits, algorithm = ""] = sealingKey(fingerprint) ?? [];
    if (!LONG.includes(algorithm) || Number(bits) >= SHORTEST) continue;
    const reason = `PGP recipient ${fingerprint} encrypts with a key of ${bits} bits, ${SHORTEST} are the least`;
    return { reason, remedy: `gpg --quick-add-key ${fingerprint} rsa3072 encr, or take another one`, passing: false };
  }
  return undefined;
}

/**
 * Why gpg takes a key for unusable: its own answer is the same for all that may be wrong.
 */
export function unusableKey(fingerprint: string): Said {
  const reason = (what: string) => `PGP recipient ${fingerprint} cannot encrypt: ${what}`;
  const other = "or take another recipient";
  const [, validity, , , , , expires, , , , , capabilities = ""] = publicKey(fingerprint);
  if (validity === "r") return { reason: reason("it is revoked"), remedy: "take another recipient" };
  if (validity === "e") {
    const day = new Date(Number(expires) * 1000).toISOString().slice(0, 10);
    return { reason: reason(`it expired on ${day}`), remedy: `gpg --quick-set-expire ${fingerprint} 2y, ${other}` };
  }
  if (validity && !capabilities.includes("E")) {
    const remedy = `gpg --quick-add-key ${fingerprint} cv25519 encr, ${other}`;
    return { reason: reason("of its keys, none that is valid now is for encryption"), remedy };
  }
  const remedy = `see gpg --list-keys ${fingerprint}, and renew it ${other}`;
  return { reason: reason("it is expired, revoked or for signatures only"), remedy };
}

/** Of a key's parts the one that gpg seals for: the newest valid one for encryption, a subkey before the key itself. */
function sealingKey(fingerprint: string): string[] | undefined {
  const made = (fields: string[]) => Number(fields[5]);
  const usable = listed(fingerprint).filter(([, validity = "", , , , , , , , , , uses = ""]) => {
    return !/^[rednix]/.test(validity) && uses.includes("e");
  });
  const parts = usable.filter(([kind]) => kind === "sub");
  return (parts.length > 0 ? parts : usable).sort((one, other) => made(other) - made(one))[0];
}

/** The fields of a key as gpg lists it; none where it cannot be asked. */
function publicKey(fingerprint: string): string[] {
  return listed(fingerprint)[0] ?? [];
}

/** Of a key and its subkeys the fields. Source: https://github.com/gpg/gnupg/blob/master/doc/DETAILS */
function listed(fingerprint: string): string[][] {
  const list = ["--batch", "--list-keys", "--with-colons", fingerprint];
  const { stdout } = spawnSync(process.env.SOPS_GPG_EXEC || "gpg", list, { encoding: "utf8", timeout: PATIENCE });
  return [...(stdout ?? "").matchAll(/^(?:pub|sub):.*$/gm)].map(([line]) => line.split(":"));
}
