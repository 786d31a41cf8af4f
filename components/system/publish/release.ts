import type { SigningKey } from "../signing-key/signing-key";

/**
 * What a machine is asked to run: the system, and the place of this wish among all that were ever signed for the stack.
 * Going back to an older system is a new wish. A machine takes none of a lower number than its own, so anyone who can write
 * its user data, and cannot sign, can ask for nothing that is not wanted already.
 */
export interface Release {
  /** `/nix/store/HASH-NAME` */
  readonly path: string;
  /** From 1 on. */
  readonly generation: number;
  /** `NAME:base64`, over {@link releaseText}. */
  readonly signature: string;
}

/** What is signed; read again by `nix/scripts/update-system.sh`. */
export function releaseText(stack: string, { path, generation }: Omit<Release, "signature">): string {
  return `sealed-onion system 1\n${stack}\n${generation}\n${path}\n`;
}

export function signRelease(stack: string, wish: Omit<Release, "signature">, key: SigningKey): Release {
  return { ...wish, signature: key.sign(releaseText(stack, wish)) };
}

/** @returns undefined for anything else */
export function parseRelease(text: string): Release | undefined {
  try {
    const { path, generation, signature } = JSON.parse(text) as Partial<Release>;
    const isWhole = typeof path === "string" && typeof signature === "string" && Number.isInteger(generation);
    return isWhole ? ({ path, generation, signature } as Release) : undefined;
  } catch {
    return undefined; // cut short, or by somebody else
  }
}
