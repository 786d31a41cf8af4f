import type { LoopbackAzure } from "loopback-azure/azure";
import { simulatedAzureNative } from "loopback-azure/provider/azure-native";
import type { ProviderFaults } from "loopback-azure/provider/provider-faults";
import { howToInstall } from "../../../components/process/tools";
import { UsageError } from "../../../components/process/usage-error";
import { localCommand } from "../providers/local-command";
import { simulatedRandom } from "../providers/random";
import type { Engine } from "./engine";
import { startInProcess } from "./in-process-engine";
import { findPulumi, hasPlugin, type PulumiEngine, startPulumi } from "./pulumi";

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

/** The engines by name. */
export interface Engines {
  "in-process": Engine;
  pulumi: PulumiEngine;
}

/**
 * The engine to run: the one that was asked for, else Pulumi's real one where it is on PATH.
 * @throws where the real one was asked for and is not there
 */
export function chooseEngine(wanted?: keyof Engines): keyof Engines {
  const isThere = findPulumi() !== undefined;
  if (wanted === "pulumi" && !isThere) {
    throw new UsageError(`--engine pulumi needs pulumi on PATH: type ${howToInstall("pulumi")}, or leave --engine out`);
  }
  return wanted ?? (isThere ? "pulumi" : "in-process");
}

function providersOf({ azure, folder, faults }: EngineParts, environment: NodeJS.ProcessEnv) {
  const { cloud, workstation } = azure;
  return {
    azureNative: simulatedAzureNative({ cloud, principal: workstation.principal, ...(faults && { faults }) }),
    random: simulatedRandom(),
    command: localCommand({ folder, environment }),
  };
}

const starters: { [Name in keyof Engines]: (parts: EngineParts) => Promise<Engines[Name]> } = {
  async "in-process"(parts) {
    const { folder, stack, config } = parts;
    const environment = { ...process.env, ...parts.azure.workstation.env };
    const providers = Object.values(providersOf(parts, environment));
    return startInProcess({ folder, project: "sealed-onion", stack, config, providers });
  },
  /** With released plugins of `command` and `random` where they are on PATH, else with ours of the same behaviour. */
  async pulumi(parts) {
    const { folder, home, stack, config } = parts;
    const environment = { ...process.env, ...parts.azure.workstation.env };
    const { azureNative, random, command } = providersOf(parts, environment);
    const standIns = [random, command].filter((provider) => !hasPlugin(provider.package));
    return startPulumi({ folder, home, stack, config, providers: [azureNative, ...standIns], environment });
  },
};

/** An engine over the loopback Azure; the caller closes it. */
export function startEngine<Name extends keyof Engines>(name: Name, parts: EngineParts): Promise<Engines[Name]> {
  return starters[name](parts);
}
