import * as path from "node:path";
import type { Facts } from "../../declarations/facts";

/** What `sops-install-secrets` reads. Source: `type manifest` in sops-nix's pkgs/sops-install-secrets/main.go. */
export interface Manifest {
  secrets: ManifestSecret[];
  templates: [];
  placeholderBySecretName: Record<string, string>;
  secretsMountPoint: string;
  symlinkPath: string;
  keepGenerations: number;
  sshKeyPaths: string[];
  gnupgHome: null;
  ageKeyFile: null;
  ageSshKeyPaths: string[];
  useTmpfs: boolean;
  userMode: boolean;
  logging: { keyImport: boolean; secretChanges: boolean };
}

interface ManifestSecret {
  name: string;
  key: string;
  path: string;
  owner: string | null;
  uid: number;
  group: string | null;
  gid: number;
  sopsFile: string;
  format: "binary";
  mode: string;
  restartUnits: string[];
  reloadUnits: string[];
}

/**
 * The manifest that sops-nix renders for a stack's facts, its paths moved below `root`. A VM that is rehearsed has
 * none of the guest's users: owners stay those of whoever runs it (`userMode`).
 */
export function manifestOf(facts: Facts, sealedFolder: string, root: string): Manifest {
  const secrets = Object.entries(facts.secrets).map(([name, { path: target, mode, restart, sealedFile }]) => ({
    name,
    key: "",
    path: path.join(root, target),
    owner: null,
    uid: 0,
    group: null,
    gid: 0,
    sopsFile: path.join(sealedFolder, sealedFile),
    format: "binary" as const,
    mode,
    restartUnits: [...restart],
    reloadUnits: [],
  }));
  return {
    secrets,
    templates: [],
    placeholderBySecretName: {},
    secretsMountPoint: path.join(root, "run", "secrets.d"),
    symlinkPath: path.join(root, "run", "secrets"),
    keepGenerations: 1,
    sshKeyPaths: [],
    gnupgHome: null,
    ageKeyFile: null,
    ageSshKeyPaths: [],
    useTmpfs: false,
    userMode: true,
    logging: { keyImport: true, secretChanges: true },
  };
}
