import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type ChildOutcome, runProgram } from "loopback-azure/child";
import { ask, via } from "loopback-azure/client";
import { assignment, type Rig, roleId, startRig } from "loopback-azure/fixture";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { download, startBlobStore } from "./blob-store";
import { runCommand } from "./run-command";
import { MIB, noise, vhd } from "./test-disks";

const HOST = "sealedtest.blob.core.windows.net";
const CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";
const root = path.resolve(__dirname, "../../../..");

let rig: Rig;
let folder: string;
let images = 0;

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
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "upload-delta-"));
});
afterAll(async () => {
  await rig.close();
  fs.rmSync(folder, { recursive: true });
});
beforeEach(() => {
  images = 0;
});

/** A disk of 48 MiB: pieces of 64 KiB by number from 4 MiB on, as files that lie one behind the other. */
function diskOf(pieces: readonly number[]): Buffer {
  const disk = vhd({ mebibytes: 48, runs: [] });
  for (const [index, piece] of pieces.entries()) noise(`${piece}`, 64 * 1024).copy(disk, 4 * MIB + index * 64 * 1024);
  return disk;
}

const nameOf = (stack: string, image: number): string => `${stack}-${`${image}`.padStart(32, "0")}.vhd`;

/** @returns what the program said, and how many bytes of bodies it sent */
async function upload(stack: string, content: Buffer): Promise<ChildOutcome & { sent: number; name: string }> {
  images += 1;
  const name = nameOf(stack, images);
  fs.writeFileSync(path.join(folder, "disk.vhd"), content);
  rig.azure.requests.clear();
  const environment = {
    ...rig.azure.workstation.env,
    BLOB_URL: `https://${HOST}/images/${name}`,
    VHD: path.join(folder, "disk.vhd"),
    DIGEST: `d${images}`,
    STACK: stack,
  };
  const run = [process.execPath, path.join(root, "components/start/run.mjs"), "upload-image"] as const;
  const outcome = await runProgram([...run], environment);
  const sent = rig.azure.requests.entries
    .filter(({ host }) => host === HOST)
    .reduce((sum, { requestBytes = 0 }) => sum + requestBytes, 0);
  return { ...outcome, sent, name };
}

async function expectStored(name: string, content: Buffer): Promise<void> {
  const url = `https://${HOST}/images/${name}`;
  expect((await rig.cloud.blobs.properties(url))?.metadata.complete).toBe("true");
  expect((await rig.cloud.blobs.read(url, 0, content.length)).equals(content)).toBe(true);
}

const old = Array.from({ length: 200 }, (_, index) => index);
/** Two pieces are new, two are gone, and all behind them has moved. */
const renewed = [...old.slice(0, 20), 900, ...old.slice(20, 50), ...old.slice(52, 120), 901, ...old.slice(120)];

describe("the second image of a stack", { timeout: 120_000 }, () => {
  it("sends what the first does not have; what has moved is copied by Azure", async () => {
    const first = await upload("copied", diskOf(old));
    expect(first.stderr).not.toContain("copied from");
    const content = diskOf(renewed);
    const { code, name, sent, stderr } = await upload("copied", content);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/MiB copied from the last image/) });
    await expectStored(name, content);
    expect(sent).toBeLessThan(2 * 64 * 1024 + 96 * 1024); // besides: partition tables, footer, hashes of the blocks
  });

  it("is sent whole where the server refuses to copy, and says so once", async () => {
    const store = await startBlobStore(); // Azurite itself cannot copy pages
    try {
      fs.writeFileSync(path.join(folder, "first.vhd"), diskOf(old));
      fs.writeFileSync(path.join(folder, "second.vhd"), diskOf(renewed));
      const send = (image: number, file: string) =>
        runCommand("upload-image", folder, {
          ...store.environment(),
          ...{ VHD: file, BLOB_URL: `${store.containerUrl}/${nameOf("dev", image)}`, DIGEST: "d", STACK: "dev" },
        });
      await send(1, "first.vhd");
      const { code, stderr } = await send(2, "second.vhd");
      expect({ code, lines: stderr.match(/; what cannot be copied is sent/g)?.length }).toEqual({ code: 0, lines: 1 });
      const stored = await download(store.container.getPageBlobClient(nameOf("dev", 2)));
      expect(stored.equals(fs.readFileSync(path.join(folder, "second.vhd")))).toBe(true);
    } finally {
      await store.close();
    }
  });

  it.each([
    [
      "lie",
      0,
      (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -1200), bytes.subarray(-600), bytes.subarray(-1200, -600)]),
    ],
    ["are cut", 1, (bytes: Buffer) => bytes.subarray(0, 100)],
  ])("is as the disk is also where the first one's hashes %s", async (what, lines, damage) => {
    const stack = what.replace(" ", "-");
    const first = await upload(stack, diskOf(old));
    const blocks = `/images/${first.name}.blocks`;
    const { size = 0 } = (await rig.cloud.blobs.properties(`https://${HOST}${blocks}`)) ?? {};
    const authorization = `Bearer ${await rig.tokenOf(rig.workstation(), "https://storage.azure.com")}`;
    const headers = { authorization, "x-ms-version": "2025-05-05", "x-ms-blob-type": "BlockBlob" };
    const body = damage(await rig.cloud.blobs.read(`https://${HOST}${blocks}`, 0, size));
    await ask(via(rig.azure.workstation.env), `https://${HOST}${blocks}`, { method: "PUT", headers, body });
    const content = diskOf(renewed);
    const { code, name, stderr } = await upload(stack, content);
    expect({ code, lines: stderr.match(/all is sent/g)?.length ?? 0 }).toEqual({ code: 0, lines });
    await expectStored(name, content);
  });
});
