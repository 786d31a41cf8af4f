import { execFileSync } from "node:child_process";
import type { Stage } from "./stage";

type Folder = Pick<Stage, "folder">;

/** From here on the stage's program has a history, which begins with what is sealed now. */
export function beginHistory(stage: Folder): void {
  git(stage, "init", "--quiet");
  commitSealed(stage);
}

/** Commits the sealed files, as a person does after an `up`. */
export function commitSealed(stage: Folder): void {
  git(stage, "add", "nix/stacks");
  git(stage, "commit", "--quiet", "-m", "sealed");
}

function git({ folder }: Folder, ...words: string[]): void {
  const who = ["-c", "user.name=story", "-c", "user.email=story@localhost", "-c", "commit.gpgsign=false"];
  execFileSync("git", [...who, ...words], { cwd: folder, stdio: "pipe" });
}
