import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { AnonymousCredential, PageBlobClient } from "@azure/storage-blob";
import { openDisk } from "../../../../components/image/upload/disk";
import type { RetryPatience } from "../../../../components/image/upload/retry";
import type { TransferResult } from "../../../../components/image/upload/transfer";
import { uploadDisk } from "../../../../components/image/upload/upload";
import type { Progress } from "../../../../components/process/progress";
import { startBlobStore } from "./blob-store";
import { type FaultProxy, startFaultProxy } from "./fault-proxy";
import { startSlowLine } from "./slow-line";
import { type TestDisk, vhd } from "./test-disks";

export interface RigUpload {
  readonly retries?: RetryPatience;
  /** @default the rig's own disk */
  readonly file?: string;
  readonly digest?: string;
  readonly isContentNamed?: boolean;
  readonly signal?: AbortSignal;
  readonly follow?: Progress["follow"];
  /** @default the rig's own, as of one machine */
  readonly memory?: string;
}

/** Uploads in this process, through a proxy that injects faults. */
export interface UploadRig {
  readonly proxy: FaultProxy;
  readonly folder: string;
  /** The rig's disk. */
  readonly content: Buffer;
  /** What the last upload logged. */
  readonly lines: string[];
  /** The blob's name in the container `images`. */
  name(): string;
  /** The next uploads are of another blob. */
  next(name?: string): void;
  /** The blob, without the proxy. */
  stored(): PageBlobClient;
  upload(options?: RigUpload): Promise<TransferResult | undefined>;
  close(): Promise<void>;
}

/** @param line what lies between the uploader and the proxy, @default a direct connection */
export async function startUploadRig(
  prefix: string,
  disk: TestDisk,
  { bytesPerSecond }: { bytesPerSecond?: number } = {},
): Promise<UploadRig> {
  const store = await startBlobStore();
  const proxy = await startFaultProxy(store.port);
  const line = bytesPerSecond === undefined ? undefined : await startSlowLine(proxy.port, bytesPerSecond);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `${prefix}-`));
  const ownFile = path.join(folder, "disk.vhd");
  const content = vhd(disk);
  fs.writeFileSync(ownFile, content);
  const lines: string[] = [];
  const url = store.containerUrl.replace(`:${store.port}/`, `:${line?.port ?? proxy.port}/`);
  let name = "";
  let blobs = 0;
  return {
    proxy,
    folder,
    content,
    lines,
    name: () => name,
    next(given) {
      blobs += 1;
      name = given ?? `${prefix}-${blobs}.vhd`;
      proxy.setFault(() => undefined);
    },
    stored: () => store.container.getPageBlobClient(name),
    async upload({
      digest = "d1",
      file = ownFile,
      follow = () => () => {},
      isContentNamed = false,
      memory,
      retries,
      signal,
    } = {}) {
      lines.length = 0;
      const client = new PageBlobClient(`${url}/${name}?${store.sas}`, new AnonymousCredential(), {
        retryOptions: { maxTries: 1 },
      });
      const result = await uploadDisk({
        client,
        digest,
        isContentNamed,
        disk: await openDisk(file),
        memory: memory ?? path.join(folder, "leases"),
        progress: { follow, log: (line) => void lines.push(line), end: () => {} },
        retries: { firstPauseMs: 5, ...retries },
        signal: signal ?? new AbortController().signal,
      });
      return result.transfer;
    },
    async close() {
      await line?.close();
      await proxy.close();
      await store.close();
      fs.rmSync(folder, { recursive: true });
    },
  };
}
