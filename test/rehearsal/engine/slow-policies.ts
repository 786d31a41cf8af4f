import type { EngineRun } from "./engine";
import type { Stage } from "./stage";
import { onlyResource, stageResources, VAULT } from "./stage-resources";

/** Longer than any run: the policies take effect when we say so. */
const NOT_YET_MS = 3_600_000;
const LOOK_MS = 50;

/**
 * As in Azure: a policy that was just made takes effect seconds later. Here it does once the vault has refused
 * somebody, so that somebody is refused however slow the machine is. Answers how often the vault refused.
 */
export async function withSlowPolicies(stage: Stage, work: () => Promise<EngineRun>) {
  const { cloud, requests } = stage.azure;
  const [first, usual] = [requests.entries.length, cloud.propagation.accessPoliciesMs];
  const refused = () => {
    const hosts = stageResources(stage, VAULT).map(({ name }) => `${name}.vault.azure.net`);
    return requests.entries.slice(first).filter(({ host, status }) => hosts.includes(host) && status === 403).length;
  };
  const takeEffect = () => {
    cloud.propagation.accessPoliciesMs = usual;
    cloud.put(onlyResource(stage, VAULT), { effectiveAfterMs: 0 });
  };
  cloud.propagation.accessPoliciesMs = NOT_YET_MS;
  const looking = setInterval(() => {
    if (refused() === 0) return;
    clearInterval(looking);
    takeEffect();
  }, LOOK_MS);
  try {
    const run = await work();
    return { run, refused: refused() };
  } finally {
    clearInterval(looking);
    cloud.propagation.accessPoliciesMs = usual;
  }
}
