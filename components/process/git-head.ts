import * as fs from "node:fs";
import * as path from "node:path";
import { type ChildResult, runChild } from "./child-process";
import { ProgramMissing } from "./find-program";

/**
 * What git's HEAD has in a folder, by path as seen from here.
 * @returns nothing where this is no git repository, or nothing was committed
 * @throws where there is one and git does not say: what is in it may be the only copy
 */
export async function filesInHead(folder: string): Promise<string[]> {
  const listing = await git(["ls-tree", "-r", "-z", "--name-only", "HEAD", "--", folder]);
  return listing === undefined ? [] : listing.toString("utf8").split("\0").filter(Boolean);
}

/** A file as git's HEAD has it; undefined where it has none of that path. @throws as `filesInHead` does */
export async function fileInHead(file: string): Promise<Buffer | undefined> {
  // Of a commit that cannot be read `cat-file` says that it lacks the file; `ls-tree` says the truth.
  if ((await filesInHead(file)).length === 0) return undefined;
  return git(["cat-file", "blob", `HEAD:./${file}`]);
}

/** git's words where there is no repository, or no commit in it. */
const NOTHING_THERE = /not a git repository \(or any|Not a valid object name HEAD$/m;

async function git(words: readonly string[]): Promise<Buffer | undefined> {
  const environment = { ...process.env, LC_ALL: "C", LANGUAGE: "" };
  try {
    const result = await runChild("git", words, { environment, deadlineMs: 60_000 });
    if (result.code === 0) return result.stdout;
    if (NOTHING_THERE.test(result.stderr)) return undefined;
    throw new Error(`cannot see what git's HEAD has: ${reasonOf(result)}`);
  } catch (error) {
    if (!(error instanceof ProgramMissing)) throw error;
    if (!isInRepository()) return undefined;
    throw new Error(
      "cannot see what git's HEAD has: git is not on PATH, and this folder is in a repository: install git",
    );
  }
}

function reasonOf({ code, signal, stderr, timedOut }: ChildResult): string {
  if (timedOut) return "git does not answer within a minute: see whether git status does";
  const allowed = /git config --global --add safe\.directory \S+/.exec(stderr)?.[0];
  if (allowed) return `this repository belongs to another user: type ${allowed}`;
  const [said = ""] = stderr.trim().split("\n", 1);
  if (said === "") return `git ended with ${signal ?? code} and says nothing: see git status and git fsck`;
  return `git says ${said.replace(/[. ]+$/, "")}: see git status and git fsck`;
}

function isInRepository(): boolean {
  for (let folder = process.cwd(); ; folder = path.dirname(folder)) {
    if (fs.existsSync(path.join(folder, ".git"))) return true;
    if (folder === path.dirname(folder)) return false;
  }
}
