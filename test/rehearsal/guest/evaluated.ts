import * as fs from "node:fs";
import * as path from "node:path";

/** What `sops-install-secrets` reads. Source: `type manifest` in sops-nix's pkgs/sops-install-secrets/main.go. */
export interface Manifest {
  readonly secrets: readonly ManifestSecret[];
  readonly secretsMountPoint: string;
  readonly symlinkPath: string;
  readonly ageSshKeyPaths: readonly string[];
  readonly userMode: boolean;
  readonly [setting: string]: unknown;
}

export interface ManifestSecret {
  readonly name: string;
  readonly key: string;
  /** Absolute. */
  readonly path: string;
  readonly owner: string | null;
  readonly group: string | null;
  /** Four octal digits. */
  readonly mode: string;
  readonly sopsFile: string;
  /** SHA-256 of the sealed file, in hex. */
  readonly sopsFileHash: string;
  readonly restartUnits: readonly string[];
  readonly [setting: string]: unknown;
}

type TorValue = string | number | boolean;

/** Lines of a torrc by option; an option with several values has as many lines. */
export type TorSettings = Readonly<Record<string, TorValue | readonly TorValue[]>>;

/** What tor serves as the example's onion service. */
export interface EvaluatedOnion {
  /** Tor's folder of the service. */
  readonly path: string;
  readonly hostname: string;
  readonly settings: TorSettings;
}

/** What the modules under `nix/` make of the example stack: `npm run check:nix` evaluates them and compares. */
export interface EvaluatedGuest {
  readonly manifest: Manifest;
  /** The unit `sops-install-secrets.service`; NixOS's own variables, as PATH, are left out. */
  readonly unseal: { readonly environment: Readonly<Record<string, string>> };
  readonly refresh: { readonly environment: Readonly<Record<string, string>> };
  /** The programs that take the hostname from Azure, one after the other. */
  readonly hostname: { readonly arguments: readonly (readonly string[])[] };
  readonly checkIn: { readonly arguments: readonly string[] };
  readonly tor: {
    readonly settings: TorSettings;
    readonly services: Readonly<Record<string, EvaluatedOnion>>;
    /** The call of nix/scripts/prepare-onion-key.sh for each service. */
    readonly prepare: readonly (readonly string[])[];
  };
  /** The call of the web server of each service with a site. */
  readonly sites: Readonly<Record<string, readonly string[]>>;
}

const GOLDEN = path.resolve("nix", "eval", "golden", "guest.json");

/** Reads the golden file of the checkout that was the current folder when this was loaded. */
export function readEvaluatedGuest(): EvaluatedGuest {
  return JSON.parse(fs.readFileSync(GOLDEN, "utf8"));
}
