import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, type Reply, via } from "../client";
import { assignment, type Rig, roleId, startRig } from "../fixture";

const HOST = "https://sealedtest.blob.core.windows.net";
const AUDIENCE = "https://storage.azure.com";
const CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";
const content = randomBytes(4096);

let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
  const { account } = rig.ids;
  const type = "Microsoft.Storage/storageAccounts";
  rig.cloud.put({ id: account, type, name: "sealedtest", location: "westeurope", properties: {} });
  const container = `${account}/blobServices/default/containers/images`;
  rig.cloud.put({ id: container, type: `${type}/blobServices/containers`, name: "images", properties: {} });
  rig.cloud.put(assignment(account, rig.workstation().objectId, roleId(rig.cloud, CONTRIBUTOR)), {
    effectiveAfterMs: 0,
  });
  for (const name of ["old", "new"]) {
    const length = { "x-ms-blob-type": "PageBlob", "x-ms-blob-content-length": "1048576" };
    expect((await request("PUT", `/images/${name}`, length)).status).toBe(201);
  }
  const page = { "x-ms-page-write": "update", "x-ms-range": "bytes=512-4607" };
  expect((await request("PUT", "/images/old?comp=page", page, content)).status).toBe(201);
});
afterAll(() => rig.close());

async function request(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: Buffer,
): Promise<Reply> {
  const authorization = `Bearer ${await rig.tokenOf(rig.workstation(), AUDIENCE)}`;
  return ask(via(rig.azure.workstation.env), HOST + path, {
    method,
    headers: { "x-ms-version": "2025-05-05", authorization, ...headers },
    ...(body && { body }),
  });
}

/** Puts what is at 512 in the one blob to 8192 of the other. */
async function copy(more: Record<string, string | undefined> = {}): Promise<Reply> {
  const headers = {
    "x-ms-page-write": "update",
    "x-ms-copy-source": `${HOST}/images/old`,
    "x-ms-copy-source-authorization": `Bearer ${await rig.tokenOf(rig.workstation(), AUDIENCE)}`,
    "x-ms-source-range": "bytes=512-4607",
    "x-ms-range": "bytes=8192-12287",
    "content-length": "0",
    ...more,
  };
  const given = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return request("PUT", "/images/new?comp=page", Object.fromEntries(given));
}

describe("Put Page From URL", () => {
  it("copies a range to another place, and is logged by its name", async () => {
    const md5 = createHash("md5").update(content).digest("base64");
    expect((await copy({ "x-ms-source-content-md5": md5 })).status).toBe(201);
    expect(await rig.cloud.blobs.read(`${HOST}/images/new`, 8192, 4096)).toEqual(content);
    expect(rig.azure.requests.entries.at(-1)?.operation).toBe("Put Page From URL");
  });

  it.each([
    ["a source of another content", { "x-ms-source-content-md5": "AAAA" }, 400, "Md5Mismatch"],
    ["no right to the source", { "x-ms-copy-source-authorization": undefined }, 401, "CannotVerifyCopySource"],
    ["no such source", { "x-ms-copy-source": `${HOST}/images/none` }, 404, "CannotVerifyCopySource"],
    ["ranges of two lengths", { "x-ms-range": "bytes=0-511" }, 400, "InvalidHeaderValue"],
    ["half a page", { "x-ms-source-range": "bytes=1-4096" }, 400, "InvalidHeaderValue"],
    ["a source elsewhere", { "x-ms-copy-source": "https://other.example/x" }, 501, "NotImplemented"],
  ])("refuses %s", async (_what, headers, status, code) => {
    const reply = await copy(headers);
    expect({ status: reply.status, code: reply.headers["x-ms-error-code"] }).toEqual({ status, code });
  });

  it("takes 4 MiB at most", async () => {
    const ranges = {
      "x-ms-source-range": `bytes=0-${4 * 2 ** 20 + 511}`,
      "x-ms-range": `bytes=0-${4 * 2 ** 20 + 511}`,
    };
    expect((await copy(ranges)).status).toBe(413);
  });
});
