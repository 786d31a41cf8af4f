import { previewComment } from "../../../components/preview/comment";
import { refuseSecrets } from "../../../components/preview/guard";
import { readPlan } from "../../../components/preview/plan";
import type { Cleanup } from "../cleanup";
import { requireTools } from "../setup";
import { nobodysSshKey } from "../ssh-key";
import type { Steps } from "../steps";
import { openStage } from "./open-stage";
import { type Stage, writeToken } from "./stage";
import { chooseEngine, type Engines } from "./start-engine";

/** What a pull request might change: a secret's content, who may open them, and two dials that cost. */
async function changeStack(stage: Stage): Promise<void> {
  writeToken(stage);
  Object.assign(stage.config, {
    "sealed-onion:recipients": JSON.stringify({ age: [nobodysSshKey] }),
    "sealed-onion:vmSize": "Standard_B2ms",
    "sealed-onion:outbound": "natGateway",
  });
  await stage.engine.setConfig(stage.config);
}

/**
 * The comment that a pull request would get: a stack is deployed to Azure on loopback, changed, and previewed. With
 * Pulumi's engine where `pulumi` is on PATH, else with ours.
 */
export async function previewLocally(cleanup: Cleanup, steps: Steps, engine?: keyof Engines): Promise<string> {
  await steps.run("tools on PATH", () => requireTools(["sops"], (line) => steps.say(line)));
  const stage = await steps.run("Azure on loopback", () => openStage(cleanup, process.cwd(), chooseEngine(engine)));
  await steps.run(`up, by the engine ${stage.engine.name} ${stage.engine.version}`, () => stage.engine.up());
  await changeStack(stage);
  const plan = await steps.run("preview of a change", () => stage.engine.previewJson());
  const comment = previewComment(readPlan(plan));
  refuseSecrets(comment, { ...process.env, ...stage.azure.workstation.env });
  for (const { name, bytes } of stage.plaintexts)
    if (comment.includes(bytes.toString())) throw new Error(`the comment shows secret ${name}`);
  return comment;
}
