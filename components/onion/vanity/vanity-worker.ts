// One thread of the vanity search, started by vanity-threads.ts. It runs until it is terminated.
import { parentPort, workerData } from "node:worker_threads";
import { wipeOnionKey } from "../keys";
import { startVanitySearch } from "./vanity-search";

/** What a thread tells: how many keys it has looked at since the last time, or the key it found. */
export type VanityMessage = { keys: number } | { secretKey: Uint8Array; publicKey: Uint8Array };

const REPORT_MS = 100;

function searchForever(prefix: string, tell: (message: VanityMessage) => void): never {
  tell({ keys: 0 }); // this thread runs: the next ones find the program ready
  const search = startVanitySearch(prefix);
  let keys = 0;
  let reportedAt = performance.now();
  for (;;) {
    const found = search.nextBatch();
    keys += search.keysPerBatch;
    if (found) {
      tell(found); // a copy: nothing of a key ever lies in a file or an argument
      wipeOnionKey(found);
    }
    if (performance.now() - reportedAt >= REPORT_MS) {
      tell({ keys });
      keys = 0;
      reportedAt = performance.now();
    }
  }
}

if (parentPort) {
  const port = parentPort;
  searchForever((workerData as { prefix: string }).prefix, (message) => port.postMessage(message));
}
console.error("the search for an onion prefix starts this program itself: there is nothing to do by hand");
process.exitCode = 2;
