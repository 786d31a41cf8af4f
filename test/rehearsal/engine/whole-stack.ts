import { changes } from "loopback-azure/provider/property-diff";
import type { ResourceProvider } from "loopback-azure/provider/provider";
import { plainMap } from "loopback-azure/provider/values";
import { packageOf } from "./conventions";
import { createDeployment } from "./deployment";
import type { EngineState, ResourceState, Step } from "./state";
import { UpdateFailed } from "./update-failed";

/** `pulumi refresh`: the state as the clouds say it is. */
export async function refresh(
  state: EngineState,
  providers: readonly ResourceProvider[],
): Promise<{ state: EngineState; steps: Step[] }> {
  const byPackage = new Map(providers.map((provider) => [provider.package, provider]));
  const resources: ResourceState[] = [];
  const steps: Step[] = [];
  for (const old of state.resources) {
    const provider = old.custom ? byPackage.get(packageOf(old.type)) : undefined;
    const found = provider === undefined || old.type.startsWith("pulumi:providers:") ? old : await provider.read(old);
    if (found === undefined) steps.push({ op: "delete", urn: old.urn, oldState: old });
    else {
      const now = { ...old, inputs: found.inputs, outputs: found.outputs };
      // outputs are taken over without a word: only what stands for an input is told, as by Pulumi's engine
      const isSame = changes(plainMap(old.inputs), plainMap(now.inputs)).length === 0;
      steps.push({ op: isSame ? "same" : "update", urn: old.urn, oldState: old, newState: now });
      resources.push(now);
    }
  }
  return { state: { resources }, steps };
}

/** `pulumi destroy`. @throws UpdateFailed */
export async function destroy(
  state: EngineState,
  providers: readonly ResourceProvider[],
  onStep?: (step: Step) => void,
) {
  const deployment = createDeployment({ providers, previous: state, preview: false, ...(onStep && { onStep }) });
  try {
    await deployment.finish();
  } catch (error) {
    throw new UpdateFailed([error as Error], deployment.state(), deployment.steps);
  }
  return { state: deployment.state(), steps: deployment.steps };
}
