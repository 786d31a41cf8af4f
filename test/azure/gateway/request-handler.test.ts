import { once } from "node:events";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { createFaults } from "./faults";
import { createRequestHandler } from "./request-handler";
import { createRequestLog } from "./request-log";

describe("a request that a service cannot answer", () => {
  it.each([
    ["is told why", false],
    ["ends its connection where Node has taken the socket away from it", true],
  ])("%s", { timeout: 10_000 }, async (_what, isTaken) => {
    const log = createRequestLog();
    const router = () => async (exchange: { request: http.IncomingMessage }) => {
      if (isTaken) Object.defineProperty(exchange.request, "socket", { value: null });
      throw new Error("the backend is gone");
    };
    const handler = createRequestHandler({ via: "workstation", router, faults: createFaults(), log });
    const server = http.createServer((request, response) => handler.handle(request, response, "host", false));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const answer = fetch(`http://127.0.0.1:${port}/`).then(({ status }) => status);
    if (isTaken) await expect(answer).rejects.toThrow("fetch failed");
    else expect(await answer).toBe(500);
    expect(log.entries[0]?.failure).toBe("the backend is gone");
    server.close();
  });
});
