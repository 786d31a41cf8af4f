import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type ChildOutcome, runProgram } from "loopback-azure/child";
import { assignment, type Rig, roleId, startRig } from "loopback-azure/fixture";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { MIB, vhd } from "./test-disks";

const HOST = "sealedtest.blob.core.windows.net";
const LOGIN = "login.microsoftonline.com";
const CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";
const root = path.resolve(__dirname, "../../../..");
const content = vhd({
  mebibytes: 16,
  runs: Array.from({ length: 12 }, (_, index) => [(2 + index) * MIB, 512 * (index + 1)] as const),
});

let rig: Rig;
let folder: string;
let blobs = 0;

beforeAll(async () => {
  rig = await startRig();
  const { account } = rig.ids;
  const named = { name: "sealedtest", location: "westeurope" };
  rig.cloud.put({ ...named, id: account, type: "Microsoft.Storage/storageAccounts", properties: {} });
  const type = "Microsoft.Storage/storageAccounts/blobServices/containers";
  rig.cloud.put({ id: `${account}/blobServices/default/containers/images`, type, name: "images", properties: {} });
  rig.cloud.put(assignment(account, rig.workstation().objectId, roleId(rig.cloud, CONTRIBUTOR)), {
    effectiveAfterMs: 0,
  });
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "upload-token-"));
  fs.writeFileSync(path.join(folder, "disk.vhd"), content);
});
afterAll(async () => {
  await rig.close();
  fs.rmSync(folder, { recursive: true });
});
beforeEach(() => {
  blobs += 1;
  vi.restoreAllMocks();
  rig.azure.faults.clear();
});

/** Tokens live for two seconds from here on; the SDK asks for a new one a second before their end. */
function shortenTokens(): { readonly issued: () => number } {
  const { issue } = rig.azure.tokens;
  const spy = vi
    .spyOn(rig.azure.tokens, "issue")
    .mockImplementation((request) => issue({ ...request, lifetimeSeconds: 2 }));
  return { issued: () => spy.mock.calls.length };
}

function upload(): Promise<ChildOutcome> {
  const environment = {
    ...rig.azure.workstation.env,
    BLOB_URL: `https://${HOST}/images/disk-${blobs}.vhd`,
    VHD: path.join(folder, "disk.vhd"),
    DIGEST: "d1",
  };
  return runProgram([process.execPath, path.join(root, "components/start/run.mjs"), "upload-image"], environment);
}

/** Each write takes so long that a token's life is over before the upload is. */
const slowly = () =>
  rig.azure.faults.add({ host: HOST, path: /comp=page/, effect: { kind: "delay", milliseconds: 1500 } });

async function expectUploaded({ code, stderr }: ChildOutcome): Promise<void> {
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("uploaded 'disk-") });
  const url = `https://${HOST}/images/disk-${blobs}.vhd`;
  expect((await rig.cloud.blobs.properties(url))?.metadata.complete).toBe("true");
  expect((await rig.cloud.blobs.read(url, 0, content.length)).equals(content)).toBe(true);
}

it("tokens that end during an upload are renewed", async () => {
  const tokens = shortenTokens();
  slowly();
  await expectUploaded(await upload());
  expect(tokens.issued()).toBeGreaterThan(1);
});

it("a token service that cannot be reached for a while during an upload costs time only", {
  timeout: 120_000,
}, async () => {
  shortenTokens();
  slowly();
  // The SDK itself asks four times before it gives up, and swallows giving up while its token is good.
  const path = /\/token\b/;
  const away = rig.azure.faults.add({ host: LOGIN, path, skip: 1, times: 9, effect: { kind: "reset" } });
  await expectUploaded(await upload());
  expect(away.hits).toBe(9);
});
