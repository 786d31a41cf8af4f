import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ContainerClient } from "@azure/storage-blob";
import { startAzurite } from "loopback-azure/storage/azurite-process";

/** An Azurite in a process of its own, with an empty container. */
export interface BenchStore {
  readonly containerUrl: string;
  readonly blobEndpoint: string;
  readonly sas: string;
  readonly container: ContainerClient;
  /** Bytes of all request bodies that it has stored so far. */
  storedBytes(): number;
  close(): Promise<void>;
}

const ACCOUNT = "benchaccount";
/** All that is uploaded between a start and an end: Azurite frees a deleted blob's bytes much later. */
const ROOM = 6 * 2 ** 30;
const MEMORY = "/dev/shm";

/**
 * Where stores should be made: Azurite syncs each range to its disk. In memory, where there is room, the uploads are
 * measured and not that disk.
 */
export function storeParent(): string {
  if (!fs.existsSync(MEMORY) || os.totalmem() < 2 * ROOM) return os.tmpdir();
  const { bavail, bsize } = fs.statfsSync(MEMORY);
  return bavail * bsize < ROOM ? os.tmpdir() : MEMORY;
}

export async function startBenchStore(folder: string): Promise<BenchStore> {
  const azurite = await startAzurite(ACCOUNT, folder);
  const sas = accountSas(azurite.sign);
  const blobEndpoint = `http://127.0.0.1:${azurite.port}/${ACCOUNT}`;
  const containerUrl = `${blobEndpoint}/images`;
  const container = new ContainerClient(`${containerUrl}?${sas}`);
  await container.create();
  return {
    containerUrl,
    blobEndpoint,
    sas,
    container,
    storedBytes: () => folderSize(path.join(azurite.directory, "__blobstorage__")),
    close: async () => {
      await azurite.close();
      fs.rmSync(azurite.directory, { recursive: true, force: true });
    },
  };
}

/** @see https://learn.microsoft.com/rest/api/storageservices/create-account-sas */
export function accountSas(sign: (text: string) => string, account = ACCOUNT): string {
  const hour = 3600 * 1000;
  const time = (offset: number): string => `${new Date(Date.now() + offset).toISOString().slice(0, 19)}Z`;
  const [permissions, services, types] = ["rwdlacupi", "b", "sco"];
  const [start, expiry, version] = [time(-hour), time(24 * hour), "2021-12-02"];
  const text = [account, permissions, services, types, start, expiry, "", "", version, "", ""].join("\n");
  const query = { sv: version, sp: permissions, ss: services, srt: types, st: start, se: expiry, sig: sign(text) };
  return new URLSearchParams(query).toString();
}

function folderSize(folder: string): number {
  if (!fs.existsSync(folder)) return 0;
  return fs.readdirSync(folder).reduce((sum, name) => sum + fs.statSync(path.join(folder, name)).size, 0);
}
