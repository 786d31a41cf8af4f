import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { versionOf } from "../../../../components/image/publish-image";
import { type BlobStore, startBlobStore } from "./blob-store";
import { runCommand } from "./run-command";
import { vhd } from "./test-disks";

let store: BlobStore;
let server: http.Server;
let folder: string;
/** What the storage says the time is. */
let now: string;

beforeAll(async () => {
  store = await startBlobStore();
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "upload-clock-"));
  fs.writeFileSync(path.join(folder, "disk.vhd"), vhd({ mebibytes: 4, runs: [] }));
  server = http.createServer((request, response) => {
    const { method, url, headers } = request;
    const onward = http.request({ host: "127.0.0.1", port: store.port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, { ...answer.headers, date: now });
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  server.close();
  fs.rmSync(folder, { recursive: true });
  await store.close();
});

it("an image is completed by the storage's clock, so that versions grow on machines whose clocks differ", async () => {
  const versionAt = async (time: string, blob: string): Promise<string> => {
    now = time;
    const { port } = server.address() as AddressInfo;
    const url = new URL(`${store.containerUrl}/${blob}`);
    url.port = `${port}`;
    const environment = { ...store.environment(), VHD: "disk.vhd", BLOB_URL: url.href, DIGEST: "d1" };
    return versionOf((await runCommand("upload-image", folder, environment)).stdout);
  };
  expect(await versionAt("Tue, 07 Jan 2031 10:11:12 GMT", "first.vhd")).toBe("2031.107.101112");
  expect(await versionAt("Tue, 07 Jan 2031 10:11:13 GMT", "second.vhd")).toBe("2031.107.101113");
});
