import { type LoopbackAzure, startAzure } from "loopback-azure/azure";
import type { Cleanup } from "./cleanup";
import type { Folders } from "./folders";
import { endAgents, makeRecoverers } from "./recovery";
import { startTorNetwork, type TorNetwork } from "./tor/network";

/** A failure shows where the network is used; until then nobody waits for it. */
export function startTor(folders: Folders, cleanup: Cleanup, address?: string): Promise<TorNetwork> {
  const starting = startTorNetwork({ directory: folders.tor, ...(address && { address }) });
  const ended = starting.then((network) => () => network.close()).catch(() => () => {});
  cleanup.add(async () => (await ended)());
  return starting;
}

export async function startCloud(folders: Folders, cleanup: Cleanup): Promise<LoopbackAzure> {
  const azure = await startAzure({ directory: folders.azure });
  cleanup.add(() => azure.close());
  return azure;
}

export async function makeRecovery(folders: Folders, cleanup: Cleanup) {
  const { recoverers, skipped } = await makeRecoverers(folders.sources);
  cleanup.add(() => endAgents(recoverers));
  const pgp = recoverers.find(({ kind }) => kind === "pgp");
  if (pgp) process.env.GNUPGHOME = pgp.environment.GNUPGHOME; // sops looks up the public key there
  return { recoverers, skipped };
}
