import * as fs from "node:fs/promises";
import { AnonymousCredential, PageBlobClient } from "@azure/storage-blob";
import type { Range } from "../../../components/image/disk/data-ranges";

/**
 * The floor: the SDK's simplest loop, which is told where the data is. It reads a range, sends it, and takes the next,
 * so many at once; no lease, no checksums, no retries of its own.
 *
 *   node components/start/run.mjs test/bench/upload/floor.ts DISK RANGES.json REQUESTS    with BLOB_URL in the environment
 */
async function main(): Promise<void> {
  const [disk = "", ranges = "", requests = ""] = process.argv.slice(2);
  const left = (JSON.parse(await fs.readFile(ranges, "utf8")) as Range[]).reverse();
  const file = await fs.open(disk);
  const blob = new PageBlobClient(process.env.BLOB_URL ?? "", new AnonymousCredential());
  await blob.create((await file.stat()).size);
  const work = async (): Promise<void> => {
    for (let range = left.pop(); range; range = left.pop()) {
      const bytes = Buffer.allocUnsafe(range.end - range.start);
      await file.read(bytes, 0, bytes.length, range.start);
      await blob.uploadPages(bytes, range.start, bytes.length);
    }
  };
  await Promise.all(Array.from({ length: Number(requests) }, work));
  await file.close();
}

main().catch((error: unknown) => {
  console.error((error as Error).message);
  process.exit(1);
});
