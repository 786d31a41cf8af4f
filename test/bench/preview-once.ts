import { createCloud } from "loopback-azure/cloud";
import { simulatedAzureNative } from "loopback-azure/provider/azure-native";
import { runProgram } from "../rehearsal/engine/in-process";
import { loadProgram } from "../rehearsal/engine/load-program";
import { localCommand } from "../rehearsal/providers/local-command";
import { simulatedRandom } from "../rehearsal/providers/random";
import { configOf } from "./preview-config";

/** One preview in process, of the program in the folder that is given, with so many secrets more: what preview.ts takes the time of. */
async function main(folder = ".", more = "0"): Promise<void> {
  const cloud = createCloud();
  const principal = cloud.directory.addApplication({ displayName: "bench" });
  const providers = [simulatedAzureNative({ cloud, principal }), simulatedRandom(), localCommand({ folder })];
  const program = loadProgram(folder);
  await runProgram({
    program,
    config: configOf(Number(more)),
    project: "bench",
    stack: "bench",
    cwd: folder,
    providers,
    preview: true,
  });
}

void main(...process.argv.slice(2));
