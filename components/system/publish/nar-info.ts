import type { SigningKey } from "../signing-key/signing-key";

/** A store path as Nix knows it. */
export interface StorePath {
  /** `/nix/store/HASH-NAME` */
  readonly path: string;
  /** Of its archive: `sha256:` and Nix's base 32. */
  readonly narHash: string;
  /** Bytes. */
  readonly narSize: number;
  /** Whole paths, itself perhaps among them. */
  readonly references: readonly string[];
}

/** The archive as it is uploaded. */
export interface PackedNar {
  /** SHA-256 of the packed file, in Nix's base 32. */
  readonly hash: string;
  /** Bytes. */
  readonly size: number;
}

/** The 32 letters that a store path begins with. */
export function hashPart(path: string): string {
  return baseName(path).slice(0, 32);
}

export function narInfoName(path: string): string {
  return `${hashPart(path)}.narinfo`;
}

/** Named by its content: equal archives are one blob. */
export function narName({ hash }: PackedNar): string {
  return `nar/${hash}.nar.zst`;
}

/**
 * The text that a binary cache has of a store path, signed.
 * Source: Nix, libstore/nar-info.cc, and libstore/path-info.cc for what is signed.
 */
export function narInfo(stored: StorePath, packed: PackedNar, key: SigningKey): string {
  const references = [...stored.references].sort();
  const signed = `1;${stored.path};${stored.narHash};${stored.narSize};${references.join(",")}`;
  const lines = [
    `StorePath: ${stored.path}`,
    `URL: ${narName(packed)}`,
    "Compression: zstd",
    `FileHash: sha256:${packed.hash}`,
    `FileSize: ${packed.size}`,
    `NarHash: ${stored.narHash}`,
    `NarSize: ${stored.narSize}`,
    `References: ${references.map(baseName).join(" ")}`,
    `Sig: ${key.sign(signed)}`,
  ];
  return `${lines.join("\n")}\n`;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
