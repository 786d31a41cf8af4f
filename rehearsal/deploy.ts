import type { LoopbackAzure } from "./azure/azure";
import { runProgram } from "./engine/in-process";
import { loadProgram } from "./engine/load-program";
import { simulatedAzureNative } from "./provider/azure-native";
import { localCommand } from "./provider/local-command";
import { simulatedRandom } from "./provider/random";
import type { Scenario } from "./scenario";

export interface DeployOptions {
  azure: LoopbackAzure;
  scenario: Scenario;
  /** The folder of the Pulumi program: commands run there. */
  folder: string;
}

/** What a rehearsal needs to know of an update that has ended well. */
export interface Deployment {
  /** Resource id of the VM. */
  vmId: string;
  onionHostname: string;
  /** Components and the stack itself are not counted. */
  resources: number;
  /** Page ranges that reached the storage account. */
  bytesUploaded: number;
  /** The stack's state, secrets in clear, as `pulumi stack export --show-secrets` prints it. */
  state: Buffer;
  /** What an update prints, for people to read. */
  logs: Buffer;
}

/** Runs `index.ts` under Pulumi's mock runtime: the providers of the loopback Azure, and commands that really run. */
export async function deploy({ azure, scenario, folder }: DeployOptions): Promise<Deployment> {
  const { stack, config } = scenario;
  const logs: string[] = [];
  const command = localCommand({ folder, environment: { ...process.env, ...azure.workstation.env } });
  command.onLog?.((urn, line) => void logs.push(`${urn}: ${line}`));
  const { cloud, workstation } = azure;
  const azureNative = simulatedAzureNative({ cloud, principal: workstation.principal, location: "westeurope" });
  const { outputs, resources, state } = await runProgram({
    program: loadProgram(folder),
    config,
    project: "sealed-onion",
    stack,
    cwd: folder,
    providers: [azureNative, simulatedRandom(), command],
  });
  return {
    vmId: String(outputs.vmId),
    onionHostname: String(outputs.onionHostname),
    resources: resources.filter(({ custom }) => custom).length,
    bytesUploaded: bytesUploaded(azure),
    state: Buffer.from(JSON.stringify(state)),
    logs: Buffer.from(logs.join("\n")),
  };
}

function bytesUploaded({ requests }: LoopbackAzure): number {
  const pages = requests.entries.filter(({ operation, status }) => operation === "Put Page" && status === 201);
  return pages.reduce((sum, { requestBytes = 0 }) => sum + requestBytes, 0);
}
