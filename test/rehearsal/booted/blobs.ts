import type { LoopbackAzure } from "loopback-azure/azure";
import { ask, via } from "loopback-azure/client";

/** A blob as it is. @throws if there is none */
export async function readBlob({ cloud }: LoopbackAzure, url: string): Promise<Buffer> {
  const properties = await cloud.blobs.properties(url);
  if (properties === undefined) throw new Error(`there is no ${url}`);
  return cloud.blobs.read(url, 0, properties.size);
}

/** With the workstation's rights, in place of what is there. */
export async function writeBlob(azure: LoopbackAzure, url: string, content: Buffer): Promise<void> {
  await request(azure, "PUT", url, content);
}

/** With the workstation's rights. */
export async function removeBlob(azure: LoopbackAzure, url: string): Promise<void> {
  await request(azure, "DELETE", url);
}

async function request({ cloud, tokens, workstation }: LoopbackAzure, method: string, url: string, body?: Buffer) {
  const principal = cloud.directory.principal(workstation.principal.objectId);
  if (principal === undefined) throw new Error("the workstation's principal is not in the directory");
  const { token } = await tokens.issue({ principal, audience: "https://storage.azure.com" });
  const headers = { authorization: `Bearer ${token}`, "x-ms-version": "2023-11-03", "x-ms-blob-type": "BlockBlob" };
  const { status, text } = await ask(via(workstation.env), url, { method, headers, ...(body && { body }) });
  if (status >= 300) throw new Error(`${method} ${url}: ${status}: ${text}`);
}
