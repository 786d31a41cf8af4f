import { type LoopbackAzure, startAzure } from "loopback-azure/azure";
import type { Cleanup } from "./cleanup";
import type { Folders } from "./folders";
import { endAgents, makeRecoverers, missingRecoverers, type Recoverer } from "./recovery";
import type { Steps } from "./steps";
import { startTorNetwork, type TorNetwork, type TorNetworkOptions } from "./tor/network";

/** A failure shows where the network is used; until then nobody waits for it. */
export function startTor(
  folders: Folders,
  cleanup: Cleanup,
  options: Omit<TorNetworkOptions, "directory"> = {},
): Promise<TorNetwork> {
  const starting = startTorNetwork({ directory: folders.tor, ...options });
  const ended = starting.then((network) => () => network.close()).catch(() => () => {});
  cleanup.add(async () => (await ended)());
  return starting;
}

export async function startCloud(folders: Pick<Folders, "azure">, cleanup: Cleanup): Promise<LoopbackAzure> {
  const azure = await startAzure({ directory: folders.azure });
  cleanup.add(() => azure.close());
  return azure;
}

/** Who else may open the sealed files: of each kind that this machine has the program for. */
export async function makeRecovery(steps: Steps, folders: Folders, cleanup: Cleanup): Promise<Recoverer[]> {
  const name = "recovery keys, besides the vault";
  const missing = missingRecoverers();
  const make = async () => {
    const made = await makeRecoverers(folders.sources);
    cleanup.add(() => endAgents(made));
    return made;
  };
  const recoverers = missing.length < 3 ? await steps.run(name, make, kindsOf) : [];
  for (const reason of missing) steps.skip(name, reason);
  const pgp = recoverers.find(({ kind }) => kind === "pgp");
  if (pgp) process.env.GNUPGHOME = pgp.environment.GNUPGHOME; // sops looks up the public key there
  return recoverers;
}

/** For people: `age, ssh`. */
export function kindsOf(recoverers: readonly Recoverer[]): string {
  return recoverers.map(({ kind }) => kind).join(", ");
}
