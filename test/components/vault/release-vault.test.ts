import { execFile, execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findOnPath } from "../../../components/process/find-program";
import { type ProjectFolder, projectFolder } from "../project-folder";

const RUN = path.resolve("components", "start", "run.mjs");
const sealedBy = (vault: string) =>
  JSON.stringify({
    data: "ENC[x]",
    sops: { azure_kv: [{ vault_url: `https://${vault}.vault.azure.net`, name: "k" }] },
  });

let project: ProjectFolder;
beforeEach(() => {
  project = projectFolder();
});
afterEach(() => project.remove());

/** What the command says before the vault `old` is deleted; empty where it lets it go. */
async function refusal(more: NodeJS.ProcessEnv = {}): Promise<string> {
  const options = { cwd: project.folder, env: { ...process.env, VAULT: "so-dev-old", ...more } };
  return promisify(execFile)(process.execPath, [RUN, "release-vault"], options).then(
    () => "",
    ({ stderr }) => stderr,
  );
}

/** A repository whose last commit is lost. */
function broken(): NodeJS.ProcessEnv {
  fs.rmSync(path.join(project.folder, ".git", "objects"), { recursive: true });
  fs.mkdirSync(path.join(project.folder, ".git", "objects"));
  return {};
}

/** A PATH with all that the program starts but git. */
function withoutGit(): string {
  const bin = path.join(project.folder, "bin");
  fs.mkdirSync(bin, { recursive: true });
  for (const name of ["sh", "cat"]) {
    const link = path.join(bin, name);
    if (!fs.existsSync(link)) fs.symlinkSync(findOnPath(name) ?? "", link);
  }
  return bin;
}

function git(...words: string[]): void {
  const who = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false"];
  execFileSync("git", [...who, ...words], { cwd: project.folder, stdio: "pipe" });
}

function commit(): void {
  if (!fs.existsSync(path.join(project.folder, ".git"))) git("init", "--quiet");
  git("add", "nix/stacks");
  git("commit", "--quiet", "--allow-empty", "-m", "x");
}

describe("a vault that is about to be deleted", () => {
  it("goes where nothing was ever sealed", async () => {
    expect(await refusal()).toBe("");
  });

  it.each(["dev", "prod"])("stays while a sealed file of stack %s is for it", async (stack) => {
    project.write(`nix/stacks/${stack}/onion.sops.json`, sealedBy("so-dev-old"));
    expect(await refusal()).toBe(
      `vault so-dev-old stays, it alone opens nix/stacks/${stack}/onion.sops.json: declare its secret, so that pulumi up seals it for the new vault, or remove the file\n`,
    );
  });

  it("stays while git's HEAD has a file that only it opens, and goes once what is sealed again is committed", async () => {
    project.write("nix/stacks/dev/onion.sops.json", sealedBy("so-dev-old"));
    commit();
    project.write("nix/stacks/dev/onion.sops.json", sealedBy("so-dev-new"));
    expect(await refusal()).toBe(
      'vault so-dev-old stays, it alone opens nix/stacks/dev/onion.sops.json as committed: type git add nix/stacks && git commit -m "Seal for the new vault", then pulumi up\n',
    );
    commit();
    expect(await refusal()).toBe("");
  });

  it("goes with its stack: destroy has removed the sealed files by then", async () => {
    project.write("nix/stacks/dev/onion.sops.json", sealedBy("so-dev-old"));
    commit();
    fs.rmSync(path.join(project.folder, "nix/stacks/dev/onion.sops.json"));
    expect(await refusal()).toBe("");
  });

  it("stays while what has moved with its stack's new name is committed under the old one alone", async () => {
    project.write("nix/stacks/dev/onion.sops.json", sealedBy("so-dev-old"));
    commit();
    fs.rmSync(path.join(project.folder, "nix/stacks/dev/onion.sops.json"));
    project.write("nix/stacks/live/onion.sops.json", sealedBy("so-live-new"));
    expect(await refusal()).toContain("it alone opens nix/stacks/dev/onion.sops.json as committed");
    commit();
    expect(await refusal()).toBe("");
  });

  it.each<[string, () => NodeJS.ProcessEnv, string]>([
    ["cannot be read", () => broken(), "git says fatal: "],
    ["is another user's", () => ({ GIT_TEST_ASSUME_DIFFERENT_OWNER: "1" }), "type git config --global --add safe.dir"],
    ["cannot be asked", () => ({ PATH: withoutGit() }), "git is not on PATH, and this folder is in a repository"],
  ])("stays where git's HEAD %s: only there a file may be that needs it", async (_, breaks, words) => {
    project.write("nix/stacks/dev/onion.sops.json", sealedBy("so-dev-old"));
    commit();
    project.write("nix/stacks/dev/onion.sops.json", sealedBy("so-dev-new"));
    const said = await refusal(breaks());
    expect(said).toMatch(/^cannot see what git's HEAD has: [^\n]+\n$/);
    expect(said).toContain(words);
  });

  it("is not taken for one whose name begins alike", async () => {
    project.write("nix/stacks/dev/onion.sops.json", sealedBy("so-dev-older"));
    expect(await refusal()).toBe("");
  });
});
