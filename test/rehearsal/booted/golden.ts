import * as fs from "node:fs";
import * as path from "node:path";

/** The committed texts of the machine that boots; `npm run check:nix -- --update` writes them. */
export const GOLDEN_TEXTS = path.join("test", "rehearsal", "booted", "golden");

/** Of a replica: what differs from those, and what they do not have. */
export const FLEET_TEXTS = path.join("test", "rehearsal", "booted", "golden-fleet");

/** As many replicas as are booted; one image serves all. */
export const FLEET_REPLICAS = 3;

/** Who wants a unit of the machine. */
export interface GoldenUnit {
  readonly wantedBy: readonly string[];
  readonly requiredBy: readonly string[];
}

/** What is no text: `about.json`. */
export interface GoldenAbout {
  readonly units: Readonly<Record<string, GoldenUnit>>;
  readonly users: Readonly<Record<string, { readonly extraGroups: readonly string[]; readonly isNormalUser: boolean }>>;
}

/** Where a golden text lies. @param name its path below the golden folder */
export function goldenPath(name: string): string {
  return path.join(GOLDEN_TEXTS, name);
}

export function readGolden(): GoldenAbout {
  return JSON.parse(fs.readFileSync(goldenPath("about.json"), "utf8"));
}

/** Paths of all golden texts below their folder. */
export function goldenFiles(): string[] {
  return fs
    .readdirSync(GOLDEN_TEXTS, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(GOLDEN_TEXTS, path.join(entry.parentPath, entry.name)));
}
