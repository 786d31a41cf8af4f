import { createHash } from "node:crypto";
import type { Trust } from "../../../components/image/disk/made-for";

type Digests = Readonly<Record<string, string>>;

/**
 * The line that the guest's image has (`nix/lib/made-for.nix`).
 * @param sealed SHA-256 of sealed files, hexadecimal
 * @param tree as `treeParts` has it; absent in a disk of an older version
 */
export function stackLine(stack: string, facts: string, sealed: Digests, tree?: Digests, trust?: Trust): string {
  const secrets = Object.fromEntries(Object.entries(sealed).map(([name, digest]) => [name, digest.slice(0, 16)]));
  const mark = { facts: createHash("sha256").update(facts).digest("hex"), secrets, stack, tree, trust };
  return `sealed-onion-made-for: ${JSON.stringify(mark)}\n`;
}
