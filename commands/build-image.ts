import { buildDisk } from "./build/build-disk";
import { writeFacts } from "./build/facts-file";
import { endWithParent } from "./child-process";
import { readTarget, required, UsageError } from "./upload/request";

/**
 * Builds the stack's disk, or takes the one that image.vhd names: what `NixosImage` runs once its inputs changed.
 * Parameters come in the environment: STACK, FACTS, NIX_DIGEST, SEALED, BUILDER, BLOB_URL, DIGEST, GENERATION. One
 * JSON line on standard output, `{"vhd","digest"}`; `vhd` is null where the blob of this digest is complete already.
 * The build's own progress goes to standard error.
 *
 * Exit codes: 1 if it could not be built, 2 if the environment is incomplete.
 */
async function main(): Promise<void> {
  const stack = required(process.env, "STACK");
  const builder = required(process.env, "BUILDER");
  const target = readTarget(process.env);
  writeFacts(stack, required(process.env, "FACTS")); // also where nothing is built: git has what the image is made of
  const { isUploaded } = await import("./build/is-uploaded.js");
  const vhd = (await isUploaded(target)) ? null : await buildDisk({ stack, builder, generation: target.generation });
  console.log(JSON.stringify({ vhd, digest: target.digest }));
}

endWithParent();
main().catch((error: unknown) => {
  console.error(`build: ${(error as Error).message}`);
  process.exit(error instanceof UsageError ? 2 : 1);
});
