import type { SystemStore } from "./system-store";

/**
 * Deletes what none of the newest systems needs. A machine that is asked for one of them finds all that its image lacks;
 * what it runs lies in its own store. An older system is uploaded again where it is wanted again.
 * @param systems how many stay: the wanted one, and those before it
 * @returns the number of store paths that went; none where it is not known what a system that stays needs
 */
export async function prune(store: SystemStore, systems: number): Promise<number> {
  const closures = await store.lastClosures(systems);
  if (closures === undefined) return 0;
  const needed = new Set(closures.flat());
  const there = await store.paths();
  const doomed = [...there].filter((hash) => !needed.has(hash));
  if (doomed.length === 0) return 0;
  // A path counts as there while it has its narinfo, so that goes first; equal archives are one blob.
  for (const hash of doomed) await store.removeNarInfo(hash);
  const used = await Promise.all([...there].filter((hash) => needed.has(hash)).map((hash) => store.narOf(hash)));
  await store.removeNarsBut(new Set(used));
  return doomed.length;
}
