import { subscribe } from "node:diagnostics_channel";
import type { ClientRequest } from "node:http";

/**
 * Ends HTTP requests of this process on whose connection no byte has moved for a while, in either direction: a slow
 * line is given all its time, a dead one is not.
 */
export function endStalledRequests(afterMs: number): void {
  subscribe("http.client.request.start", (message) => {
    const { request } = message as { request: ClientRequest };
    request.setTimeout(afterMs, () => {
      request.destroy(Object.assign(new Error(`no byte moved for ${afterMs / 1000} s`), { code: "ETIMEDOUT" }));
    });
  });
}
