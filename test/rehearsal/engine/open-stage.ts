import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type AzureOptions, startAzure } from "loopback-azure/azure";
import type { Cleanup } from "../cleanup";
import { makeMemoryFolder } from "../guest/memory-folder";
import { copyProgram } from "../workspace";
import { type Stage, setStage } from "./stage";
import type { Engines } from "./start-engine";

/**
 * A working copy of the program, Azure on loopback, and a stack before its first update. Everything is in `cleanup`.
 * @param checkout the folder that the copy is taken from
 */
export async function openStage<Name extends keyof Engines>(
  cleanup: Cleanup,
  checkout: string,
  engine: Name,
  options: Pick<AzureOptions, "cloud"> = {},
): Promise<Stage<Engines[Name]>> {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "so-stage-"));
  cleanup.add(() => fs.rmSync(root, { recursive: true, force: true }));
  const below = (name: string) => path.join(root, name);
  for (const name of ["program", "home", "azure"]) fs.mkdirSync(below(name), { mode: 0o700 });
  const sources = makeMemoryFolder().path;
  cleanup.add(() => fs.rmSync(sources, { recursive: true, force: true }));
  copyProgram(checkout, below("program"));
  // as in Azure, a policy or role that was just made takes effect a while later
  const propagation = { accessPoliciesMs: 1500, rolesMs: 1500 };
  const azure = await startAzure({ directory: below("azure"), propagation, ...options });
  cleanup.add(() => azure.close());
  const stage = await setStage(engine, { azure, folder: below("program"), home: below("home"), sources });
  cleanup.add(() => stage.engine.close());
  return stage;
}
