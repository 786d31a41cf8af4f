import { createCloud } from "loopback-azure/cloud";
import { simulatedAzureNative } from "loopback-azure/provider/azure-native";
import { runProgram } from "../rehearsal/engine/in-process";
import { loadProgram } from "../rehearsal/engine/load-program";
import { localCommand } from "../rehearsal/providers/local-command";
import { simulatedRandom } from "../rehearsal/providers/random";
import { pulumiConfig } from "../rehearsal/pulumi-config";
import { nobodysSshKey } from "../rehearsal/ssh-key";

/** One preview in process, of the program in the folder that is given: what preview.ts takes the time of. */
async function main(folder: string): Promise<void> {
  const cloud = createCloud();
  const principal = cloud.directory.addApplication({ displayName: "bench" });
  const providers = [simulatedAzureNative({ cloud, principal }), simulatedRandom(), localCommand({ folder })];
  const config = pulumiConfig({
    "azure-native:location": "westeurope",
    sshPublicKey: nobodysSshKey,
    secrets: { onion: { source: { onion: {} } } },
  });
  const program = loadProgram(folder);
  await runProgram({ program, config, project: "bench", stack: "bench", cwd: folder, providers, preview: true });
}

void main(process.argv[2] ?? ".");
