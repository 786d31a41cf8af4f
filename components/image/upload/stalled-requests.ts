import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ClientRequest } from "node:http";

/**
 * Ends HTTP requests of this process on whose connection no byte has moved for a while, in either direction: a slow
 * line is given all its time, a dead one is not.
 * @returns ends the watch
 */
export function endStalledRequests(afterMs: number): () => void {
  const watch = (message: unknown): void => {
    const { request } = message as { request: ClientRequest };
    request.setTimeout(afterMs, () => {
      request.destroy(Object.assign(new Error(`no byte moved for ${afterMs / 1000} s`), { code: "ETIMEDOUT" }));
    });
  };
  subscribe("http.client.request.start", watch);
  return () => void unsubscribe("http.client.request.start", watch);
}
