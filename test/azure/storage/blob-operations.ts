import type { IncomingHttpHeaders } from "node:http";
import type { Operation } from "../resource-manager/authorization";

/** A request to the blob service, named as its reference names it, with the right it needs. */
export interface BlobRequest {
  /** `Put Page`, `Get Blob`, `Create Container` ... */
  name: string;
  container: string | undefined;
  needs: Operation;
}

const CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers";
export const READ = { dataAction: `${CONTAINERS}/blobs/read` };
const WRITE = { dataAction: `${CONTAINERS}/blobs/write` };
const DELETE = { dataAction: `${CONTAINERS}/blobs/delete` };
const SERVICE = "Microsoft.Storage/storageAccounts/blobServices";

type Names = Readonly<Record<string, [name: string, needs: Operation]>>;

/** By `METHOD comp`, at the account. */
const ACCOUNT: Names = {
  "GET list": ["List Containers", { action: `${CONTAINERS}/read` }],
  "GET properties": ["Get Blob Service Properties", { action: `${SERVICE}/read` }],
  "POST userdelegationkey": ["Get User Delegation Key", { action: `${SERVICE}/generateUserDelegationKey/action` }],
};

/** By `METHOD comp`, at a container. */
const CONTAINER: Names = {
  "PUT ": ["Create Container", { action: `${CONTAINERS}/write` }],
  "DELETE ": ["Delete Container", { action: `${CONTAINERS}/delete` }],
  "GET ": ["Get Container Properties", { action: `${CONTAINERS}/read` }],
  "HEAD ": ["Get Container Properties", { action: `${CONTAINERS}/read` }],
  "GET list": ["List Blobs", READ],
  "PUT lease": ["Lease Container", { action: `${CONTAINERS}/write` }],
  "PUT metadata": ["Set Container Metadata", { action: `${CONTAINERS}/write` }],
};

/** By `METHOD comp`, at a blob. */
const BLOB: Names = {
  "GET ": ["Get Blob", READ],
  "HEAD ": ["Get Blob Properties", READ],
  "GET metadata": ["Get Blob Metadata", READ],
  "HEAD metadata": ["Get Blob Metadata", READ],
  "GET pagelist": ["Get Page Ranges", READ],
  "GET blocklist": ["Get Block List", READ],
  "PUT ": ["Put Blob", WRITE],
  "PUT page": ["Put Page", WRITE],
  "PUT block": ["Put Block", WRITE],
  "PUT blocklist": ["Put Block List", WRITE],
  "PUT appendblock": ["Append Block", WRITE],
  "PUT metadata": ["Set Blob Metadata", WRITE],
  "PUT properties": ["Set Blob Properties", WRITE],
  "PUT lease": ["Lease Blob", WRITE],
  "PUT snapshot": ["Snapshot Blob", WRITE],
  "PUT copy": ["Abort Copy Blob", WRITE],
  "PUT tier": ["Set Blob Tier", WRITE],
  "DELETE ": ["Delete Blob", DELETE],
};

/** What a request is where `x-ms-copy-source` says from where its content comes. */
const COPIES: Readonly<Record<string, string>> = { "Put Blob": "Copy Blob", "Put Page": "Put Page From URL" };

/**
 * What a request to the blob service asks for; undefined where it is not known here.
 *
 * Rights: https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory
 */
export function blobRequest(method: string, url: URL, headers: IncomingHttpHeaders): BlobRequest | undefined {
  const [container, ...rest] = decodeURIComponent(url.pathname).slice(1).split("/");
  const isContainer = url.searchParams.get("restype") === "container";
  const names = container ? (isContainer || rest.join("/") === "" ? CONTAINER : BLOB) : ACCOUNT;
  const found = names[`${method} ${url.searchParams.get("comp") ?? ""}`];
  if (found === undefined) return undefined;
  const [name, needs] = found;
  const copyName = headers["x-ms-copy-source"] === undefined ? undefined : COPIES[name];
  return { name: copyName ?? name, container: container || undefined, needs };
}
