import * as path from "node:path";

/** The committed texts of the machine that boots; `npm run check:nix -- --update` writes them. */
export const GOLDEN_TEXTS = path.join("test", "rehearsal", "booted", "golden");
