import { endWithParent } from "../../process/child-process";
import { required, requiredJson } from "../../process/environment";
import { runMain } from "../../process/run-main";
import type { Recipients } from "../../secrets/recipients";
import { checkKeyUrl } from "../../secrets/seal/seal-request";

/**
 * Makes the key that signs a stack's systems, sealed before it leaves this process's memory: what `SystemSigningKey`
 * runs. Parameters come in the environment: STACK, KEY_URL, RECIPIENTS (JSON). One JSON line on standard output,
 * `{"publicKey"}`.
 *
 * Exit codes: 1 if it could not be sealed, 2 if the environment is incomplete.
 */
async function main(): Promise<void> {
  const stack = required(process.env, "STACK");
  const keyUrl = required(process.env, "KEY_URL");
  checkKeyUrl(keyUrl);
  const { age = [], pgp = [] } = requiredJson<Partial<Recipients>>(process.env, "RECIPIENTS");
  const { keepSigningKey } = await import("./signing-key-file.js");
  console.log(JSON.stringify({ publicKey: await keepSigningKey(stack, { keyUrl, age, pgp }) }));
}

endWithParent();
runMain(main, { label: "signing key", exits: true });
