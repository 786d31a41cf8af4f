import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { type LoopbackAzure, startAzure } from "loopback-azure/azure";
import { runChild } from "../../components/process/child-process";
import { findOnPath } from "../../components/process/find-program";
import type { Cleanup } from "./cleanup";
import type { Engine } from "./engine/engine";
import { startEngine } from "./engine/start-engine";
import type { Folders } from "./folders";
import { openByVault, publicHalf, type Recoverer } from "./recovery";
import type { Scenario } from "./scenario";
import { copyBundles, PROGRAM_FILES } from "./workspace";

/** A fresh workstation and a fresh account: another tenant, other keys. */
interface Fresh {
  azure: LoopbackAzure;
  /** A clone of what git has. */
  program: string;
  home: string;
}

/** What a stack was before everything but git and one age key was lost. */
interface Lost {
  engine: Engine["name"];
  sources: string;
  scenario: Scenario;
  recoverers: Recoverer[];
  onionHostname: string;
  /** Paths of what the machine had opened, by secret. */
  opened: ReadonlyMap<string, string>;
}

/** Why a stack cannot be recovered here. */
export function cannotRecover(recoverers: readonly Recoverer[]): string | undefined {
  if (!findOnPath("git")) return "git is not on PATH";
  return recoverers.some(({ kind }) => kind === "age") ? undefined : "no age recipient, age-keygen is not on PATH";
}

/** Takes all that git has into a folder where plaintext is searched for, and opens an account. */
async function startAfresh({ program, temporary }: Folders, cleanup: Cleanup): Promise<Fresh> {
  const below = (name: string) => path.join(temporary, "afresh", name);
  for (const name of ["azure", "home"]) fs.mkdirSync(below(name), { recursive: true });
  await cloneTo(program, below("program"));
  const azure = await startAzure({ directory: below("azure") });
  cleanup.add(() => azure.close());
  return { azure, program: below("program"), home: below("home") };
}

/**
 * Makes the stack again where nothing is of it but a clone of git, with an offline age key. Neither the old vault nor any
 * source of a secret is there. Until it is made this process works in another folder, with another environment.
 * @throws unless its address is the old one, and the new vault opens what the old machine had
 */
export async function recoverAfresh(lost: Lost, folders: Folders, cleanup: Cleanup): Promise<void> {
  const { azure, program, home } = await startAfresh(folders, cleanup);
  await withKeyAlone(lost, async () => {
    const engine = await startEngine(lost.engine, { azure, folder: program, home, ...lost.scenario });
    try {
      await engine.up();
      const { onionHostname, vmId } = await engine.outputs();
      assert.equal(onionHostname, lost.onionHostname, "the stack came back under another address");
      assert.ok(azure.cloud.get(String(vmId)), "the new account has no machine");
    } finally {
      await engine.close();
    }
  });
  for (const [name, file] of lost.opened) {
    const sealed = path.join(program, "nix", "stacks", lost.scenario.stack, `${name}.sops.json`);
    const plaintext = await openByVault(sealed, azure.workstation.env);
    assert.ok(plaintext.equals(fs.readFileSync(file)), `the new vault opens '${name}' to something else than before`);
    plaintext.fill(0);
  }
  // What was cloned is searched where it came from.
  for (const name of [".git", "components", "test"]) fs.rmSync(path.join(program, name), { recursive: true });
}

/** What is committed of a working copy, in another folder. */
async function cloneTo(program: string, folder: string): Promise<void> {
  const git = async (...words: string[]) => {
    const who = ["-c", "user.name=rehearsal", "-c", "user.email=rehearsal@localhost", "-c", "commit.gpgsign=false"];
    const all = ["-C", program, ...who, "-c", "init.defaultBranch=main", ...words];
    const { code, stderr } = await runChild("git", all);
    if (code !== 0) throw new Error(`git ${words[0]}: ${stderr}`);
  };
  const files = PROGRAM_FILES.filter((name) => fs.existsSync(path.join(program, name)));
  await git("init", "--quiet");
  await git("add", "--force", ...files);
  await git("commit", "--quiet", "--message", "all that is left");
  await git("clone", "--quiet", program, folder);
  fs.rmSync(path.join(program, ".git"), { recursive: true });
  fs.symlinkSync(fs.realpathSync(path.join(program, "node_modules")), path.join(folder, "node_modules"), "dir");
  copyBundles(program, folder); // of the same files: making them again takes seconds, and shows nothing more
}

/** While the work lasts the age key is all that is there: no source, and of the others their public keys. */
async function withKeyAlone({ sources: folder, recoverers, scenario }: Lost, work: () => Promise<void>): Promise<void> {
  const { GNUPGHOME } = process.env;
  const sources = scenario.plaintexts.map(({ name }) => path.join(folder, name));
  for (const source of sources) fs.renameSync(source, `${source}.gone`);
  const { environment = {} } = recoverers.find(({ kind }) => kind === "age") ?? {};
  Object.assign(process.env, environment, await publicHalf(recoverers, path.join(folder, "public")));
  try {
    await work();
  } finally {
    for (const name of Object.keys(environment)) delete process.env[name];
    if (GNUPGHOME !== undefined) process.env.GNUPGHOME = GNUPGHOME;
    for (const source of sources) fs.renameSync(`${source}.gone`, source);
  }
}
