import type { EngineRun } from "./engine";
import type { Stage } from "./stage";
import { stageHosts } from "./stage-resources";

/** As in Azure: a policy that was just made takes effect seconds later. Answers how often the vault refused until then. */
export async function withSlowPolicies(stage: Stage, work: () => Promise<EngineRun>) {
  const { cloud, requests } = stage.azure;
  const before = { entries: requests.entries.length, delay: cloud.propagation.accessPoliciesMs };
  cloud.propagation.accessPoliciesMs = 6000;
  const run = await work();
  cloud.propagation.accessPoliciesMs = before.delay;
  const vault = stageHosts(stage).vault;
  const refused = requests.entries.slice(before.entries).filter(({ host, status }) => host === vault && status === 403);
  return { run, refused: refused.length };
}
