import { runChild } from "./child-process";
import { ProgramMissing } from "./find-program";

/**
 * What git's HEAD has in a folder, by path as seen from here.
 * @returns nothing where this is no git repository, nothing was committed, or git is not installed
 */
export async function filesInHead(folder: string): Promise<string[]> {
  const listing = await git(["ls-tree", "-r", "-z", "--name-only", "HEAD", "--", folder]);
  return listing === undefined ? [] : listing.toString("utf8").split("\0").filter(Boolean);
}

/** A file as git's HEAD has it; undefined where it has none of that path. */
export function fileInHead(file: string): Promise<Buffer | undefined> {
  return git(["cat-file", "blob", `HEAD:./${file}`]);
}

async function git(words: readonly string[]): Promise<Buffer | undefined> {
  try {
    const { code, stdout } = await runChild("git", words, { deadlineMs: 60_000 });
    return code === 0 ? stdout : undefined;
  } catch (error) {
    if (error instanceof ProgramMissing) return undefined;
    throw error;
  }
}
