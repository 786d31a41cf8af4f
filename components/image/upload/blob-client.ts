import { AnonymousCredential, ContainerClient, PageBlobClient, type StoragePipelineOptions } from "@azure/storage-blob";
import { storageCredential } from "../../azure/storage-credential";
import { steadyCredential } from "./credential-failure";
import { pause } from "./pause";
import { StorageProblem } from "./storage-problem";

/** Retries are this project's own (see `createAttempt`): they share one budget and name their range. */
const options: StoragePipelineOptions = {
  retryOptions: { maxTries: 1 },
  userAgentOptions: { userAgentPrefix: "sealed-onion" },
};

/** New roles, accounts and their names take minutes until Azure knows them everywhere. */
const ACCESS_PATIENCE_MS = 5 * 60_000;
const ACCESS_PAUSE_MS = 3_000;
const notYet = new Set(["AuthorizationPermissionMismatch", "AuthorizationFailure", "ContainerNotFound"]);

/**
 * A client for a blob, by Entra ID (see `storageCredential`), unless a SAS was meant for it: one in the URL's query or in
 * SEALED_ONION_SAS. The AZURE_STORAGE_SAS_TOKEN of other tools may be for another account, and does not count.
 */
export async function pageBlobClient(url: string, environment: NodeJS.ProcessEnv): Promise<PageBlobClient> {
  const [target, credential] = await authorize(url, environment);
  return new PageBlobClient(target, credential, options);
}

/** The same for a container. */
export async function containerClient(url: string, environment: NodeJS.ProcessEnv): Promise<ContainerClient> {
  const [target, credential] = await authorize(url, environment);
  return new ContainerClient(target, credential, options);
}

async function authorize(url: string, environment: NodeJS.ProcessEnv) {
  const target = new URL(url);
  const sas = environment.SEALED_ONION_SAS?.replace(/^\?/, "");
  if (!target.search && sas) target.search = sas;
  const isSigned = target.searchParams.has("sig");
  return [
    target.href,
    isSigned ? new AnonymousCredential() : steadyCredential(await storageCredential(environment)),
  ] as const;
}

/**
 * Runs the first request to an account. A refusal that passes by itself, as of a role that was granted seconds ago, is
 * waited out.
 */
export async function firstContact<T>(
  request: () => Promise<T>,
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<T> {
  const end = Date.now() + ACCESS_PATIENCE_MS;
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof StorageProblem) || !notYet.has(error.code) || Date.now() > end) throw error;
      if (isFirst) log(`${error.message}; new roles take up to minutes, waiting`);
      await pause(ACCESS_PAUSE_MS, signal);
    }
  }
}
