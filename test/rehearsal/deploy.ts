import type { LoopbackAzure } from "loopback-azure/azure";
import { type Engine, realOperations } from "./engine/engine";

/** What a rehearsal needs to know of an update that has ended well. */
export interface Deployment {
  engine: Engine["name"];
  /** Resource id of the VM. */
  vmId: string;
  onionHostname: string;
  /** Components, providers and the stack itself are not counted. */
  resources: number;
  /** Page ranges that reached the storage account, bytes. */
  bytesUploaded: number;
  /** The stack's state, secrets in clear, as `pulumi stack export --show-secrets` prints it. */
  state: Buffer;
  /** What the update printed. */
  log: Buffer;
}

/** `pulumi up`. */
export async function deploy(engine: Engine, { requests }: LoopbackAzure): Promise<Deployment> {
  const run = await engine.up();
  const { vmId, onionHostname } = await engine.outputs();
  const pages = requests.entries.filter(({ operation, status }) => operation === "Put Page" && status === 201);
  return {
    engine: engine.name,
    vmId: String(vmId),
    onionHostname: String(onionHostname),
    resources: realOperations(run).length,
    bytesUploaded: pages.reduce((sum, { requestBytes = 0 }) => sum + requestBytes, 0),
    state: await engine.exportState(),
    log: Buffer.from(run.log),
  };
}
