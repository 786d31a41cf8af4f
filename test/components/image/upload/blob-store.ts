import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ContainerClient, type PageBlobClient } from "@azure/storage-blob";
import { startAzurite } from "loopback-azure/storage/azurite-process";

/** A storage account on loopback with one container, reached by a SAS. */
export interface BlobStore {
  /** `http://127.0.0.1:PORT/ACCOUNT/images`, without the SAS. */
  readonly containerUrl: string;
  readonly port: number;
  readonly sas: string;
  /** A SAS for less, or for another time. */
  sasWith(change: Partial<SasTerms>): string;
  readonly container: ContainerClient;
  /** All bytes of all requests that Azurite ever stored. */
  storedBytes(): number;
  /** For `commands/*.ts` as child processes. */
  environment(): NodeJS.ProcessEnv;
  close(): Promise<void>;
}

/** What a SAS is for. */
export interface SasTerms {
  /** Letters of permissions: `racwdl`. */
  readonly sp: string;
  /** From when on, and until when: milliseconds from now. */
  readonly startMs: number;
  readonly endMs: number;
}

const ACCOUNT = "testaccount";

export async function startBlobStore(parentDirectory = os.tmpdir()): Promise<BlobStore> {
  const directory = fs.mkdtempSync(path.join(parentDirectory, "blobs-"));
  const azurite = await startAzurite(ACCOUNT, directory);
  const sas = accountSas(azurite.sign);
  const containerUrl = `http://127.0.0.1:${azurite.port}/${ACCOUNT}/images`;
  const container = new ContainerClient(`${containerUrl}?${sas}`);
  await container.create();
  return {
    containerUrl,
    port: azurite.port,
    sas,
    sasWith: (change) => accountSas(azurite.sign, change),
    container,
    storedBytes: () => treeSize(path.join(azurite.directory, "__blobstorage__")),
    environment: () => ({ ...withoutAzure(process.env), SEALED_ONION_SAS: sas }),
    close: async () => {
      await azurite.close();
      fs.rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The whole content, as it lies there. */
export async function download(blob: PageBlobClient): Promise<Buffer> {
  return blob.downloadToBuffer();
}

function withoutAzure(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !/^(AZURE|ARM)_/.test(name)));
}

/** @see https://learn.microsoft.com/rest/api/storageservices/create-account-sas */
function accountSas(sign: (text: string) => string, change: Partial<SasTerms> = {}): string {
  const hour = 3600 * 1000;
  const { sp, startMs, endMs } = { sp: "rwdlacupi", startMs: -hour, endMs: 24 * hour, ...change };
  const time = (ms: number): string => `${new Date(Date.now() + ms).toISOString().slice(0, 19)}Z`;
  const fields = { sp, ss: "b", srt: "sco", st: time(startMs), se: time(endMs) };
  const version = "2021-12-02";
  const text = [ACCOUNT, fields.sp, fields.ss, fields.srt, fields.st, fields.se, "", "", version, "", ""].join("\n");
  return new URLSearchParams({ sv: version, ...fields, sig: sign(text) }).toString();
}

function treeSize(directory: string): number {
  if (!fs.existsSync(directory)) return 0;
  const files = fs.readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, { name, parentPath }) => sum + fs.statSync(path.join(parentPath, name)).size, 0);
}
