import * as fs from "node:fs";
import * as path from "node:path";
import { requireOnPath } from "../../components/process/find-program";

/**
 * The environment of a Nix whose store is a folder of its own: its paths are called /nix/store/…, and lie below it.
 * Builds have /bin/sh and busybox, and nothing else.
 */
export function nixStoreEnvironment(folder: string): Readonly<Record<"NIX_CONFIG" | "NIX_REMOTE", string>> {
  fs.mkdirSync(folder, { recursive: true });
  // Asked before each build whether another machine should do it: none should.
  const hook = path.join(folder, "hook");
  fs.writeFileSync(hook, '#!/bin/sh\necho "# decline-permanently" >&2\nexec cat >/dev/null\n', { mode: 0o755 });
  const busybox = requireOnPath("busybox");
  const config = [
    "experimental-features = nix-command flakes",
    `build-hook = ${hook}`,
    "build-users-group =",
    "substituters =",
    "sandbox = true",
    "sandbox-fallback = false",
    `sandbox-paths = /bin/sh=${busybox} /bin/busybox=${busybox}`,
  ];
  return { NIX_CONFIG: config.join("\n"), NIX_REMOTE: folder };
}
