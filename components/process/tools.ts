import { findOnPath } from "./find-program";

/** What each package manager calls the package of a program; undefined where it has none. */
const packages = {
  age: { apt: "age", brew: "age", nix: "age" },
  az: { apt: undefined, brew: "azure-cli", nix: "azure-cli" },
  busybox: { apt: "busybox-static", brew: undefined, nix: "busybox" },
  curl: { apt: "curl", brew: "curl", nix: "curl" },
  git: { apt: "git", brew: "git", nix: "git" },
  gpg: { apt: "gnupg", brew: "gnupg", nix: "gnupg" },
  ip: { apt: "iproute2", brew: undefined, nix: "iproute2" },
  jq: { apt: "jq", brew: "jq", nix: "jq" },
  mke2fs: { apt: "e2fsprogs", brew: undefined, nix: "e2fsprogs" },
  mkp224o: { apt: undefined, brew: undefined, nix: "mkp224o" },
  mmdebstrap: { apt: "mmdebstrap", brew: undefined, nix: "mmdebstrap" },
  nix: { apt: "nix-bin", brew: undefined, nix: undefined },
  "nix-instantiate": { apt: "nix-bin", brew: undefined, nix: undefined },
  pass: { apt: "pass", brew: "pass", nix: "pass" },
  pulumi: { apt: undefined, brew: "pulumi", nix: "pulumi-bin" },
  "qemu-img": { apt: "qemu-utils", brew: "qemu", nix: "qemu-utils" },
  shellcheck: { apt: "shellcheck", brew: "shellcheck", nix: "shellcheck" },
  sops: { apt: undefined, brew: "sops", nix: "sops" },
  "ssh-keygen": { apt: "openssh-client", brew: "openssh", nix: "openssh" },
  "systemd-nspawn": { apt: "systemd-container", brew: undefined, nix: "systemd" },
  tor: { apt: "tor", brew: "tor", nix: "tor" },
  "tor-gencert": { apt: "tor", brew: "tor", nix: "tor" },
  zstd: { apt: "zstd", brew: "zstd", nix: "zstd" },
} as const;

export type ToolName = keyof typeof packages;

/** Debian's name of the package that has a program, if it has one. */
export function debianPackage(tool: ToolName): string | undefined {
  return packages[tool].apt;
}

/** Where the programs come from that a system's package manager may lack. */
const pages: Partial<Record<ToolName, string>> = {
  az: "https://learn.microsoft.com/cli/azure/install-azure-cli",
  mkp224o: "https://github.com/cathugger/mkp224o",
  nix: "https://nixos.org/download",
  pulumi: "https://www.pulumi.com/docs/install",
  sops: "https://github.com/getsops/sops/releases",
};

/** Nix's own installer leaves them off. */
const NIX_FEATURES = "--extra-experimental-features 'nix-command flakes'";

/** What to type for a program that is missing: one command for each package manager that has it and is on this machine. */
export function howToInstall(tool: ToolName): string {
  const { apt, brew, nix } = packages[tool];
  const isMac = process.platform === "darwin";
  const ways = [
    apt && findOnPath("apt-get") && `apt-get install ${apt}`,
    brew && (isMac || findOnPath("brew")) && `brew install ${brew}`,
    nix && findOnPath("nix") && `nix ${NIX_FEATURES} profile install nixpkgs#${nix}`,
    pages[tool] && `take it from ${pages[tool]}`,
  ].filter(Boolean);
  return ways.join(", or ") || `install ${apt ?? brew ?? nix ?? tool} with this system's package manager`;
}
