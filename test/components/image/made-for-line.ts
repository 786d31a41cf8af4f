import { createHash } from "node:crypto";

/** The line that the guest's image has (`nix/lib/made-for.nix`). @param sealed SHA-256 of sealed files, hexadecimal */
export function stackLine(stack: string, facts: string, sealed: Readonly<Record<string, string>>): string {
  const secrets = Object.fromEntries(Object.entries(sealed).map(([name, digest]) => [name, digest.slice(0, 16)]));
  const mark = { facts: createHash("sha256").update(facts).digest("hex"), secrets, stack };
  return `sealed-onion-made-for: ${JSON.stringify(mark)}\n`;
}
