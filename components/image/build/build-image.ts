import { endWithParent } from "../../process/child-process";
import { requiredJson } from "../../process/environment";
import { runMain } from "../../process/run-main";
import { type BuildRequest, buildDisk, readBuildRequest } from "./build-disk";
import { writeFacts } from "./facts-file";
import { notePaths } from "./image-paths";

/**
 * Builds the stack's disk, or takes the one that image.vhd names: what `NixosImage` runs once its inputs changed.
 * Parameters come in the environment: STACK, FACTS, NIX_DIGEST, SEALED, BUILDER, BLOB_URL, DIGEST, GENERATION. One
 * JSON line on standard output, `{"vhd","stamp","digest"}`; `vhd` is null where the blob of this digest is complete
 * already, and `stamp` tells whether the file is still the one that was built. The build's own progress goes to
 * standard error.
 *
 * Exit codes: 1 if it could not be built, 2 if the environment is incomplete.
 */
async function main(): Promise<void> {
  const request = readBuildRequest(process.env);
  const { digest, facts, stack } = request;
  writeFacts(stack, facts); // also where nothing is built: git has what the image is made of
  const doubt = await checkGiven(request);
  const { findComplete } = await import("./complete-blob.js");
  const complete = await findComplete(request, new AbortController().signal, console.error);
  if (complete) console.error(`'${complete.name}' is there already: nothing to build`);
  const { stamp, vhd } = complete ? { stamp: null, vhd: null } : await buildDisk(request);
  if (doubt) console.error(doubt);
  // Machines that take systems in place: what the image has need not be uploaded besides.
  if (vhd !== null && !process.env.FACTS) await notePaths(request, vhd);
  console.log(JSON.stringify({ vhd, stamp, digest }));
}

/** Machines that take systems in place need not boot the newest one: their image comes without FACTS. */
async function checkGiven(request: BuildRequest): Promise<string | undefined> {
  if (!request.builder.startsWith("vhd:") || !process.env.FACTS) return undefined;
  const { checkGivenDisk } = await import("./given-disk.js");
  return checkGivenDisk(request, requiredJson(process.env, "SEALED"));
}

endWithParent();
runMain(main, { label: "build", exits: true });
