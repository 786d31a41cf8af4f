import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** A project's folder of its own, in which a test works as Pulumi's program and commands do. */
export interface ProjectFolder {
  readonly folder: string;
  /** Writes a file, mode 0600, path relative to the folder. */
  write(file: string, content: string): void;
  /** Writes a sealed file and its record, as the program `seal` leaves them; returns the file's digest. */
  seal(stack: string, name: string, more?: SealedFixture): string;
  /** Goes back to where the process was, and removes the folder. */
  remove(): void;
}

export interface SealedFixture {
  readonly content?: string;
  readonly source?: object;
  readonly fingerprint?: string;
  readonly hostname?: string;
  readonly publicKey?: string;
}

/** Makes the folder, with a `nix/` in it, and changes into it. */
export function projectFolder(): ProjectFolder {
  const before = process.cwd();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sealed-onion-program-"));
  const write = (file: string, content: string) => {
    const target = path.join(folder, file);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, content, { mode: 0o600 });
  };
  write("nix/flake.nix", "{ }\n");
  process.chdir(folder);
  return {
    folder,
    write,
    seal: (stack, name, { content = sealedContent(name), hostname, ...more } = {}) => {
      const digest = createHash("sha256").update(content).digest("hex");
      const onion = hostname === undefined ? {} : { onion: { hostname } };
      const record = { ...RECORD, ...more, digest, ...onion };
      write(`nix/stacks/${stack}/${name}.sops.json`, content);
      write(`nix/stacks/${stack}/${name}.seal.json`, JSON.stringify(record));
      return digest;
    },
    remove: () => {
      process.chdir(before);
      fs.rmSync(folder, { recursive: true });
    },
  };
}

/** What a sealed file looks like from outside. */
export function sealedContent(name: string): string {
  return JSON.stringify({ data: `ENC[${name}]`, sops: { azure_kv: [] } });
}

const RECORD = {
  version: 1,
  fingerprint: "recorded",
  source: { onion: {} },
  generation: 1,
  keyUrl: "https://so-dev-abcd1234.vault.azure.net/keys/sealing-3072/0123456789abcdef0123456789abcdef",
  recipients: { age: [], pgp: [] },
  sealedAt: "2026-01-01T00:00:00.000Z",
};

/** A hostname that is valid: its checksum is right. */
export const HOSTNAME = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";
