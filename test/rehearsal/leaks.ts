import * as fs from "node:fs";
import * as path from "node:path";
import { NeedleScan } from "./needle-scan";

/** A plaintext that must be nowhere. `name` is what a finding is reported by; the bytes never are. */
export interface Plaintext {
  name: string;
  bytes: Buffer;
}

/** `where` is a file, or the name of a text that was searched; `form` how the plaintext was written there. */
export interface Leak {
  plaintext: string;
  form: string;
  where: string;
}

interface Needle {
  plaintext: string;
  form: string;
  bytes: Buffer;
}

/** Files are read in pieces of this size, overlapping by the longest needle. */
const PIECE_BYTES = 4 << 20;

/**
 * Searches for plaintexts as they are, in hexadecimal (both cases), in base64 and in base64url. Base64 of a longer
 * text that merely contains the plaintext depends on where it starts, so all three alignments are searched.
 */
export class LeakSearch {
  readonly leaks: Leak[] = [];
  private readonly needles: Needle[];
  private readonly overlap: number;
  private readonly scan: NeedleScan;
  /** Of the file that is being read: one for all, as there are thousands of small ones. */
  private readonly piece: Buffer;

  constructor(plaintexts: Plaintext[]) {
    this.needles = plaintexts.flatMap(needlesOf);
    this.scan = new NeedleScan(this.needles.map(({ bytes }) => bytes));
    this.overlap = Math.max(0, ...this.needles.map((needle) => needle.bytes.length - 1));
    this.piece = Buffer.allocUnsafeSlow(PIECE_BYTES + this.overlap);
  }

  /** Searches bytes that are at hand: a log, an exported state, a sampled process list. */
  searchBytes(where: string, bytes: Buffer): void {
    for (const index of this.scan.in(bytes)) {
      const needle = this.needles[index];
      if (needle) this.found({ plaintext: needle.plaintext, form: needle.form, where });
    }
  }

  /** Searches a file of any size in bounded memory. Its path counts too: a name can leak as well. */
  searchFile(file: string): void {
    this.searchBytes(`the path ${file}`, Buffer.from(file));
    const descriptor = fs.openSync(file, "r");
    try {
      const { piece } = this;
      let kept = 0;
      for (;;) {
        const read = fs.readSync(descriptor, piece, kept, PIECE_BYTES, null);
        if (read === 0) return;
        this.searchBytes(file, piece.subarray(0, kept + read));
        const end = kept + read;
        kept = Math.min(this.overlap, end);
        piece.copyWithin(0, end - kept, end);
      }
    } finally {
      fs.closeSync(descriptor);
    }
  }

  /** Searches every regular file below a folder, and every symbolic link's target as text. */
  searchFolder(folder: string): void {
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
      const file = path.join(folder, entry.name);
      if (entry.isDirectory()) this.searchFolder(file);
      else if (entry.isFile()) this.searchFile(file);
      else if (entry.isSymbolicLink()) this.searchBytes(file, Buffer.from(fs.readlinkSync(file)));
    }
  }

  private found(leak: Leak): void {
    const known = this.leaks.some(
      (other) => other.where === leak.where && other.plaintext === leak.plaintext && other.form === leak.form,
    );
    if (!known) this.leaks.push(leak);
  }
}

function needlesOf({ name, bytes }: Plaintext): Needle[] {
  const hex = bytes.toString("hex");
  const forms: [string, Buffer][] = [
    ["raw", bytes],
    ["hex", Buffer.from(hex)],
    ["hex", Buffer.from(hex.toUpperCase())],
    ...base64Forms(bytes).map((text): [string, Buffer] => ["base64", Buffer.from(text)]),
    ...base64Forms(bytes).map((text): [string, Buffer] => ["base64url", Buffer.from(toBase64Url(text))]),
  ];
  return forms.map(([form, needle]) => ({ plaintext: name, form, bytes: needle }));
}

/** The characters that base64 has for these bytes whatever stands before and after them, for each alignment. */
function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    const firstWhole = Math.ceil((offset * 8) / 6);
    const lastWhole = Math.floor(((offset + bytes.length) * 8) / 6);
    return text.slice(firstWhole, lastWhole);
  });
}

function toBase64Url(text: string): string {
  return text.replaceAll("+", "-").replaceAll("/", "_");
}
