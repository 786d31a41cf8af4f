import * as fs from "node:fs";
import * as path from "node:path";
import { GOLDEN_TEXTS } from "./golden";

const SYSTEM = path.join("test", "rehearsal", "booted", "system");

/** Puts the flake of the machine that boots in the place of the project's own, which needs nixpkgs. @param program a working copy */
export function placeFlake(program: string): void {
  const nix = path.join(program, "nix");
  fs.rmSync(path.join(nix, "flake.lock"), { force: true });
  for (const name of ["flake.nix", "system.nix", "activate.sh", "switch-to-configuration.sh"])
    fs.copyFileSync(path.join(SYSTEM, name), path.join(nix, name));
  fs.cpSync(GOLDEN_TEXTS, path.join(nix, "golden"), { recursive: true });
}
