import type { RestError } from "@azure/storage-blob";
import { isPassing } from "../../azure/login-failure";
import { refusalOf } from "../../process/words";
import { CredentialFailure } from "./credential-failure";

interface ProblemDetails {
  /** Azure's error code, such as `ServerBusy`, or the network's, such as `ECONNRESET`. */
  readonly code: string;
  /** HTTP status; undefined where no answer came. */
  readonly status: number | undefined;
  /** What `Retry-After` asked for; 0 without it. Milliseconds. */
  readonly retryAfterMs: number;
}

/** A request to Azure that failed. Its message names the request and Azure's code, and holds no URL, token or signature. */
export class StorageProblem extends Error {
  readonly code: string;
  readonly status: number | undefined;
  readonly retryAfterMs: number;

  constructor(message: string, { code, retryAfterMs, status }: ProblemDetails) {
    super(message);
    this.code = code;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** @see https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes */
const TRANSIENT_STATUSES = new Set([408, 429, 500, 502, 503, 504]);
/** Damaged on the way, or a token that ran out between its check here and its use there. */
const TRANSIENT_CODES = new Set([
  "Md5Mismatch",
  "InvalidMd5",
  "Crc64Mismatch",
  "ExpiredAuthenticationToken",
  "PARSE_ERROR",
  "TokenUnreachable",
]);

/** Whether the same request may succeed later. */
export function isTransient({ code, status }: StorageProblem): boolean {
  if (TRANSIENT_CODES.has(code)) return true;
  if (code === "FeatureNotSupported") return false;
  if (status === 401) return code === "InvalidAuthenticationInfo"; // an expired token: the next try gets a new one
  return status === undefined ? isNetworkCode(code) : TRANSIENT_STATUSES.has(status);
}

/** Whether nobody is logged in (any more), or Entra ID gives no token. */
export function isCredentialProblem({ code }: StorageProblem): boolean {
  return code === "NoToken";
}

/** Whatever a request threw, as a problem of the thing that was tried. */
export function problemOf(what: string, error: unknown): StorageProblem {
  if (error instanceof StorageProblem) return error;
  if (error instanceof CredentialFailure) return credentialProblem(what, error.cause as Error);
  const { message, name } = error as Error;
  const { response, statusCode, ...rest } = error as RestError;
  const code = name === "AbortError" ? "ECONNABORTED" : rest.code; // the SDK's word for an answer that ended early
  if (name !== "RestError" && code === undefined)
    return new StorageProblem(`cannot ${what}: ${message}`, UNKNOWN_DETAILS);
  const azureCode = code ?? response?.headers.get("x-ms-error-code") ?? `HTTP ${statusCode}`;
  const shown =
    statusCode === undefined || azureCode.startsWith("HTTP") ? azureCode : `${azureCode}, HTTP ${statusCode}`;
  const said =
    statusCode === undefined && isNetworkCode(azureCode) ? networkWords(azureCode) : `${shown}${hint(azureCode)}`;
  return new StorageProblem(`cannot ${what}: ${said}`, {
    code: azureCode,
    status: statusCode,
    retryAfterMs: retryAfterMs(response?.headers.get("retry-after")),
  });
}

/** Azure's code, wherever the SDK or this program has put it; empty without one. */
export function codeOf(error: unknown): string {
  const { code, response } = error as Partial<RestError>;
  return response?.headers.get("x-ms-error-code") ?? code ?? "";
}

const UNKNOWN_DETAILS: ProblemDetails = { code: "", status: undefined, retryAfterMs: 0 };

function isNetworkCode(code: string): boolean {
  return /^(E[A-Z]+|REQUEST_SEND_ERROR|ERR_STREAM_PREMATURE_CLOSE|HPE_[A-Z_]+|UND_ERR_[A-Z_]+)$/.test(code);
}

/** A code of Node's or of its HTTP client's. */
function networkWords(code: string): string {
  return refusalOf({ code }) ?? "what answers is cut or no HTTP: check the network and the proxy variables";
}

function credentialProblem(what: string, cause: Error): StorageProblem {
  const problem = (code: string, text: string) =>
    new StorageProblem(`cannot ${what}: ${text}`, { ...UNKNOWN_DETAILS, code, status: 401 });
  return problem(isPassing(cause) ? "TokenUnreachable" : "NoToken", cause.message.split("\n", 1)[0] ?? "");
}

/** What to do about the codes that users meet. */
function hint(code: string): string {
  switch (code) {
    case "AuthorizationPermissionMismatch":
      return ": you need the role Storage Blob Data Contributor on the account";
    case "AuthorizationFailure":
      return ": the storage account's firewall refuses this machine's address: add it to sealed-onion:network.allow, or run it in a network that reaches the account";
    case "AuthorizationSourceIPMismatch":
    case "AuthorizationProtocolMismatch":
    case "AuthorizationServiceMismatch":
    case "AuthorizationResourceTypeMismatch":
      return ": the SAS is for another address, protocol or service: make one for the container with --permissions racwdl";
    case "AuthenticationFailed":
      return ": the SAS or token is not valid (any more)";
    case "BlobNotFound":
      return ": it was deleted meanwhile, run it again";
    case "ContainerNotFound":
      return ": the container is not there: `pulumi up --refresh` makes it";
    default:
      return "";
  }
}

function retryAfterMs(header: string | null | undefined): number {
  const seconds = Number(header ?? 0);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), 60) * 1000 : 0;
}
