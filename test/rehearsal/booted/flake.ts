import * as fs from "node:fs";
import * as path from "node:path";
import { FLEET_TEXTS, GOLDEN_TEXTS } from "./golden";

const SYSTEM = path.join("test", "rehearsal", "booted", "system");

/** Puts the flake of the machine that boots in the place of the project's own, which needs nixpkgs. @param program a working copy */
export function placeFlake(program: string): void {
  const nix = path.join(program, "nix");
  fs.rmSync(path.join(nix, "flake.lock"), { force: true });
  for (const name of ["flake.nix", "system.nix", "activate.sh", "switch-to-configuration.sh"])
    fs.copyFileSync(path.join(SYSTEM, name), path.join(nix, name));
  fs.cpSync(GOLDEN_TEXTS, path.join(nix, "golden"), { recursive: true });
}

/** As {@link placeFlake}, for the machines of a fleet: the working copy has their texts in place of a single machine's. */
export function placeFleetFlake(program: string): void {
  placeFlake(program);
  for (const folder of [path.join("nix", "golden"), GOLDEN_TEXTS])
    fs.cpSync(FLEET_TEXTS, path.join(program, folder), { recursive: true });
}
