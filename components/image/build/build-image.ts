import { endWithParent } from "../../process/child-process";
import { requiredJson } from "../../process/environment";
import { runMain } from "../../process/run-main";
import { type BuildRequest, buildDisk, readBuildRequest } from "./build-disk";
import { writeFacts } from "./facts-file";
import { notePaths } from "./image-paths";

/**
 * Builds the stack's disk, or takes the one that image.vhd names: what `NixosImage` runs once its inputs changed.
 * Parameters come in the environment: STACK, FACTS, NIX_DIGEST, SEALED, BUILDER, BLOB_URL, DIGEST, GENERATION; for
 * machines that take systems in place TRUST (JSON) in the place of FACTS, NIX_DIGEST and SEALED, as their image need not
 * be of the newest system. One JSON line on standard output, `{"vhd","stamp","digest"}`; `vhd` is null where the blob of this digest is complete
 * already, and `stamp` tells whether the file is still the one that was built. The build's own progress goes to
 * standard error.
 *
 * Exit codes: 1 if it could not be built, 2 if the environment is incomplete.
 */
async function main(): Promise<void> {
  const request = readBuildRequest(process.env);
  const { digest, facts, stack } = request;
  writeFacts(stack, facts); // also where nothing is built: git has what the image is made of
  const isOnce = process.env.TRUST !== undefined;
  const doubt = isOnce ? undefined : await checkGiven(request);
  const { findComplete } = await import("./complete-blob.js");
  const complete = await findComplete(request, new AbortController().signal, console.error);
  if (complete) console.error(`'${complete.name}' is there already: nothing to build`);
  const { stamp, vhd } = complete ? { stamp: null, vhd: null } : await buildDisk(request);
  if (doubt) console.error(doubt);
  if (vhd !== null && isOnce) await lookAtOnly(request, vhd);
  console.log(JSON.stringify({ vhd, stamp, digest }));
}

/** The image of machines that take systems in place: what it has need not be uploaded besides. */
async function lookAtOnly(request: BuildRequest, vhd: string): Promise<void> {
  if (isGiven(request)) {
    const { checkTrust } = await import("./given-disk.js");
    const doubt = await checkTrust(request, requiredJson(process.env, "TRUST"));
    if (doubt) console.error(doubt);
  }
  await notePaths(request, vhd);
}

function isGiven({ builder }: BuildRequest): boolean {
  return builder.startsWith("vhd:");
}

async function checkGiven(request: BuildRequest): Promise<string | undefined> {
  if (!isGiven(request)) return undefined;
  const { checkGivenDisk } = await import("./given-disk.js");
  return checkGivenDisk(request, requiredJson(process.env, "SEALED"));
}

endWithParent();
runMain(main, { label: "build", exits: true });
