import { endWithParent } from "../process/child-process";
import { required } from "../process/environment";
import { runMain } from "../process/run-main";
import { neededBy } from "./sealed-for-vault";

/**
 * What a `SealingVault` runs before its vault is deleted: exit code 1, with one line, while a sealed file can be opened
 * by no other vault. The vault's name comes as VAULT in the environment; nothing is asked of Azure.
 */
async function main(): Promise<void> {
  const vault = required(process.env, "VAULT");
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
runMain(main);
