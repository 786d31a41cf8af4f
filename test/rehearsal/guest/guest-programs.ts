import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const SCRIPTS = path.resolve("nix", "scripts");
const OPTIONS = "-o errexit -o nounset -o pipefail"; // writeShellApplication's

let made: string | undefined;

/**
 * PATH on which the guest's scripts find each other, as their packages' PATH has them.
 * @param before what comes first: what stands in for a program is found before it
 */
export function withGuestPrograms(before = process.env.PATH ?? ""): string {
  made ??= makePrograms();
  return [before, made].join(path.delimiter);
}

function makePrograms(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "guest-programs-"));
  process.once("exit", () => fs.rmSync(folder, { recursive: true, force: true }));
  for (const file of fs.readdirSync(SCRIPTS)) {
    const text = `#!/bin/sh\nexec bash ${OPTIONS} '${path.join(SCRIPTS, file)}' "$@"\n`;
    fs.writeFileSync(path.join(folder, path.basename(file, ".sh")), text, { mode: 0o755 });
  }
  return folder;
}
