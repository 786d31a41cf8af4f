import type { LoopbackAzure } from "../azure/azure";
import { simulatedAzureNative } from "../provider/azure-native";
import { localCommand } from "../provider/local-command";
import type { ProviderFaults } from "../provider/provider-faults";
import { simulatedRandom } from "../provider/random";
import type { Engine } from "./engine";
import { startInProcess } from "./in-process-engine";
import { findPulumi, hasPlugin, startPulumi } from "./pulumi";

export interface EngineParts {
  azure: LoopbackAzure;
  /** A working copy of the program: commands run there. */
  folder: string;
  /** For the real engine's state, plugins and credentials. */
  home: string;
  stack: string;
  /** With namespaces; objects are JSON. */
  config: Record<string, string>;
  /** What Azure's control plane is to refuse. */
  faults?: ProviderFaults;
}

/**
 * The engine to run: the one that was asked for, else Pulumi's real one where it is on PATH.
 * @throws where the real one was asked for and is not there
 */
export function chooseEngine(wanted: Engine["name"] | undefined): Engine["name"] {
  const isThere = findPulumi() !== undefined;
  if (wanted === "pulumi" && !isThere) {
    throw new Error("--engine pulumi needs pulumi on PATH: type brew install pulumi, or leave --engine out");
  }
  return wanted ?? (isThere ? "pulumi" : "in-process");
}

/** An engine over the loopback Azure. The real one uses released plugins of `command` and `random` that are on PATH. */
export async function startEngine(name: Engine["name"], parts: EngineParts): Promise<Engine> {
  const { azure, folder, home, stack, config, faults } = parts;
  const environment = { ...process.env, ...azure.workstation.env };
  const { principal } = azure.workstation;
  const azureNative = simulatedAzureNative({ cloud: azure.cloud, principal, ...(faults && { faults }) });
  const command = () => localCommand({ folder, environment });
  if (name === "in-process") {
    const providers = [azureNative, simulatedRandom(), command()];
    return startInProcess({ folder, project: "sealed-onion", stack, config, providers });
  }
  const random = hasPlugin("random") ? [] : [simulatedRandom()];
  const commands = hasPlugin("command") ? [] : [command()];
  return startPulumi({ folder, home, stack, config, providers: [azureNative, ...random, ...commands], environment });
}
