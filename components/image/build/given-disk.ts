import { stackFolder } from "../../config/stack-folder";
import { diskMarks } from "../disk/disk-marks";
import { distrusts, type MadeFor, outdated, type Trust, type Wanted } from "../disk/made-for";
import { guestFolder, readGuest } from "../guest-folder";
import type { ImageInputs } from "../image";
import type { BuildRequest } from "./build-disk";
import { systemOf } from "./facts-file";

const OLDER = "is older than what is declared:";

/**
 * Holds a disk that was built elsewhere against what is declared: nothing that changed since it was built would ever
 * reach the machine.
 * @param sealed digests of the sealed files that are in it
 * @returns what is to be said where it cannot be found out
 * @throws if it was made for something else, with the command that builds it again
 */
export async function checkGivenDisk(
  { builder, facts, stack }: BuildRequest,
  sealed: ImageInputs["sealed"],
): Promise<string | undefined> {
  return hold(builder, (file, marks) => {
    const found = outdated(marks, stack, { facts, sealed, tree: readGuest().parts });
    if (found.length === 0) return undefined;
    return `the disk '${file}' ${OLDER} ${found.join(", ")}: the machine stays as it is; ${buildAgain({ facts, stack })}`;
  });
}

/**
 * Holds a disk that was built elsewhere against what a machine of it must trust to take its systems in place.
 * @returns what is to be said where it cannot be found out
 * @throws if a machine of it would take none, with the command that builds another
 */
export async function checkTrust({ builder, facts, stack }: BuildRequest, trust: Trust): Promise<string | undefined> {
  return hold(builder, (file, marks) => {
    const found = distrusts(marks, stack, trust);
    if (found.length === 0) return undefined;
    const problem = `a machine of the disk '${file}' would take no system of stack ${stack}, ${found.join(", ")}`;
    return `${problem}: ${buildAgain({ facts, stack })}, or set sealed-onion:update to replace`;
  });
}

/** @param problemOf why the disk is refused; undefined where it is taken */
async function hold(
  builder: string,
  problemOf: (file: string, marks: readonly MadeFor[]) => string | undefined,
): Promise<string | undefined> {
  const file = builder.slice("vhd:".length);
  const marks = await diskMarks(file);
  if (marks.length === 0) return `'${file}' does not say what it was made for: it is taken as it is`;
  const problem = problemOf(file, marks);
  if (problem !== undefined) throw new Error(problem);
  return undefined;
}

function buildAgain({ facts, stack }: Pick<BuildRequest, "facts" | "stack">): string {
  const build = `nix build 'path:./${guestFolder(stack)}#packages.${systemOf(facts)}.image-${stack}'`;
  return `${build} where it was built, with ${stackFolder(stack)} of now, then put it there and type pulumi up`;
}

/**
 * What a preview says of it.
 * @param wanted undefined where some of it is known only once the update has sealed it
 */
export async function givenDiskWarning(
  file: string,
  stack: string,
  wanted: Omit<Wanted, "tree"> | undefined,
): Promise<string | undefined> {
  const marks = await diskMarks(file);
  if (marks.length === 0) return undefined;
  const found = wanted
    ? outdated(marks, stack, { ...wanted, tree: readGuest().parts })
    : ["a secret, or the facts about the stack, change with this update"];
  if (found.length === 0) return undefined;
  return `image.vhd '${file}' ${OLDER} ${found.join(", ")}: up seals and writes ${stackFolder(stack)}, then stops until the disk is built again; the machine stays as it is`;
}
