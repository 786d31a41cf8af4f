import { AnonymousCredential, ContainerClient, PageBlobClient, type StoragePipelineOptions } from "@azure/storage-blob";
import { loginInUse } from "../../azure/login-in-use";
import { actAsProgram } from "../../azure/session/act-as-program";
import { pause } from "../../process/pause";
import { steadyCredential } from "./credential-failure";
import { StorageProblem } from "./storage-problem";

/** Retries are this project's own (see `createAttempt`): they share one budget and name their range. */
const OPTIONS: StoragePipelineOptions = {
  retryOptions: { maxTries: 1 },
  userAgentOptions: { userAgentPrefix: "sealed-onion" },
};

/** A new role takes minutes until Azure knows it everywhere. */
const ROLE_PATIENCE_MS = 5 * 60_000;
const ROLE_PAUSE_MS = 3_000;
const NO_RIGHT = "AuthorizationPermissionMismatch";

/**
 * A client for a blob, by Entra ID as whom Pulumi's provider acts, unless a SAS was meant for it: one in the URL's query or in
 * SEALED_ONION_SAS. The AZURE_STORAGE_SAS_TOKEN of other tools may be for another account, and does not count.
 */
export async function pageBlobClient(url: string, environment: NodeJS.ProcessEnv): Promise<PageBlobClient> {
  const [target, credential] = await authorize(url, environment);
  return new PageBlobClient(target, credential, OPTIONS);
}

/** The same for a container. */
export async function containerClient(url: string, environment: NodeJS.ProcessEnv): Promise<ContainerClient> {
  const [target, credential] = await authorize(url, environment);
  return new ContainerClient(target, credential, OPTIONS);
}

/** The container of a blob, the blob's name in it, and whose login it is; none with a SAS. */
export async function containerOf(blobUrl: string, environment: NodeJS.ProcessEnv) {
  const url = new URL(blobUrl);
  const blob = decodeURIComponent(url.pathname.slice(url.pathname.lastIndexOf("/") + 1));
  url.pathname = url.pathname.slice(0, url.pathname.lastIndexOf("/"));
  const [target, credential] = await authorize(url.href, environment);
  const login = credential instanceof AnonymousCredential ? undefined : credential;
  return { client: new ContainerClient(target, credential, OPTIONS), blob, credential: login };
}

async function authorize(url: string, environment: NodeJS.ProcessEnv) {
  const target = new URL(url);
  const sas = environment.SEALED_ONION_SAS?.trim().replace(/^[^?]*\?/, ""); // az and the portal give whole URLs, too
  if (!target.search && sas) target.search = sas;
  if (isSigned(target.href)) return [target.href, new AnonymousCredential()] as const;
  if (environment.STACK) await actAsProgram(environment.STACK, url);
  const login = loginInUse();
  return [target.href, steadyCredential({ getToken: (scopes) => login.getToken(`${scopes}`) })] as const;
}

function isSigned(url: string): boolean {
  return new URL(url).searchParams.has("sig");
}

/**
 * Runs the first request to an account. That a right is missing is waited out where a role may have been granted
 * seconds ago; a SAS does not get better.
 */
export async function firstContact<T>(
  { url }: { readonly url: string },
  request: () => Promise<T>,
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<T> {
  const end = Date.now() + ROLE_PATIENCE_MS;
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof StorageProblem)) throw error;
      if (isSigned(url)) throw sasProblem(error, new URL(url).searchParams);
      if (error.code !== NO_RIGHT) throw error;
      if (Date.now() > end) throw error;
      if (isFirst) log(`${error.message}; new roles take up to minutes, waiting`);
      await pause(ROLE_PAUSE_MS, signal);
    }
  }
}

/** Its message names the request; the hint behind it is about roles and tokens. */
function sasProblem(problem: StorageProblem, sas: URLSearchParams): StorageProblem {
  const { code, message, retryAfterMs, status } = problem;
  const reason = code === NO_RIGHT ? "the SAS has no right to it" : status === 403 && outOfTime(sas);
  if (!reason) return problem;
  const refused = message.slice(0, message.indexOf(code));
  const text = `${refused}${reason}: make one for the container with --permissions racwdl`;
  return new StorageProblem(text, { code, retryAfterMs, status });
}

/** @see https://learn.microsoft.com/rest/api/storageservices/create-service-sas (`st` and `se`: ISO 8601) */
function outOfTime(sas: URLSearchParams): string | false {
  const [start, end] = [sas.get("st") ?? "", sas.get("se") ?? ""];
  if (Date.parse(end) <= Date.now()) return `the SAS ended at ${end}`;
  return Date.parse(start) > Date.now() && `the SAS is not valid before ${start}, here it is ${now()}`;
}

function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, "Z");
}
