import { provideTools } from "./rehearsal/setup";

/** vitest's global set-up: what the tests run for real, installed once where that is possible (root on Debian). */
export default async function installTools(): Promise<void> {
  const log = (line: string) => console.error(line);
  const missing = await provideTools(
    ["sops", "tor", "tor-gencert", "age", "gpg", "pass", "ssh-keygen", "nix-instantiate", "qemu-img", "zstd"],
    log,
  );
  for (const tool of missing) log(`${tool} is not on PATH: the tests that need it are skipped`);
}
