import { endWithParent } from "../process/child-process";
import { neededBy } from "./sealed-for-vault";

/**
 * What a `SealingVault` runs before its vault is deleted: exit code 1, with one line, while a sealed file can be opened
 * by no other vault. The vault's name comes as VAULT in the environment; nothing is asked of Azure.
 */
async function main(): Promise<void> {
  const { VAULT: vault } = process.env;
  if (!vault) throw new Error("VAULT is not set: pulumi up runs this program, with its whole environment");
  const { files, committed } = await neededBy(vault);
  if (files.length > 0) {
    const remedy = "declare its secret, so that pulumi up seals it for the new vault, or remove the file";
    throw new Error(`vault ${vault} stays, it alone opens ${files.join(", ")}: ${remedy}`);
  }
  if (committed.length > 0) {
    const remedy = 'type git add nix/stacks && git commit -m "Seal for the new vault", then pulumi up';
    throw new Error(`vault ${vault} stays, it alone opens ${committed.join(", ")} as committed: ${remedy}`);
  }
}

endWithParent();
main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
