import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { BlobClient } from "@azure/storage-blob";
import { afterEach, describe, expect, it } from "vitest";
import { readBlob } from "../../../../components/image/upload/read-blob";
import { createAttempt } from "../../../../components/image/upload/retry";

const { signal } = new AbortController();
let server: http.Server;
afterEach(() => new Promise((resolve) => server.close(resolve)));

async function serve(answer: http.RequestListener): Promise<BlobClient> {
  server = http.createServer(answer).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return new BlobClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}/account/status/machine.json`);
}

describe("a blob's content", () => {
  it.each(["shorter", "longer"])("is one version of it, though somebody makes it %s at each moment", async (change) => {
    let requests = 0;
    const blob = await serve((_request, response) => {
      requests += 1;
      const length = change === "longer" ? requests : 100 - requests;
      response.writeHead(200, { "Content-Length": length, ETag: `"${requests}"` }).end("x".repeat(length));
    });
    const content = await readBlob(blob, signal);
    expect(content.toString()).toBe("x".repeat(change === "longer" ? 1 : 99));
  });

  it("is asked for again where the answer ended early", async () => {
    let requests = 0;
    const blob = await serve((_request, response) => {
      requests += 1;
      response.writeHead(200, { "Content-Length": 8, ETag: '"1"' }).write("four");
      if (requests === 1) response.destroy();
      else response.end("more");
    });
    const attempt = createAttempt({ signal, log: () => {}, firstPauseMs: 1 });
    const content = await attempt("read it", (abortSignal) => readBlob(blob, abortSignal));
    expect(content.toString()).toBe("fourmore");
  });
});
