import * as http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { SocksProxyAgent } from "socks-proxy-agent";

export interface OnionResponse {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
  /** How many tries it took: after a service moves, the first ones fail. */
  attempts: number;
}

/** Milliseconds for one try, where nothing else is asked for: tor itself would hold a hopeless one for two minutes. */
const TRY_MS = 8_000;
const PAUSE_MS = 200;

export interface FetchOptions {
  deadlineMs: number;
  tryMs?: number;
  /** How many tries at most. @default as many as there is time for */
  tries?: number;
  /** Fetches of another name here have circuits of their own; those of none share theirs. */
  circuit?: string;
}

/**
 * Gets a page through a tor client, retrying until something answers. Any HTTP status is an answer.
 * @param socksPort the client's SOCKS port on loopback; the name is resolved by tor, not here
 * @throws the last try's error after `deadlineMs`
 */
export async function fetchOnion(
  socksPort: number,
  url: string,
  { deadlineMs, tryMs = TRY_MS, tries = Number.POSITIVE_INFINITY, circuit }: FetchOptions,
): Promise<OnionResponse> {
  const deadline = Date.now() + deadlineMs;
  for (let attempts = 1; ; attempts++) {
    try {
      const timeoutMs = Math.min(tryMs, deadline - Date.now());
      return { ...(await fetchOnce(proxyOf(socksPort, circuit), url, timeoutMs)), attempts };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (attempts >= tries || Date.now() + PAUSE_MS >= deadline) {
        throw new Error(`no answer from ${url} within ${deadlineMs} ms (${attempts} tries): ${reason}`, {
          cause: error,
        });
      }
      await sleep(PAUSE_MS);
    }
  }
}

/** tor keeps the circuits of different SOCKS users apart (tor(1), IsolateSOCKSAuth). */
function proxyOf(socksPort: number, circuit?: string): string {
  return `socks5h://${circuit === undefined ? "" : `${circuit}:of-its-own@`}127.0.0.1:${socksPort}`;
}

/** Each try has its own circuit attempt and its own agent: nothing of a failed one is used again. */
async function fetchOnce(proxy: string, url: string, timeoutMs: number): Promise<Omit<OnionResponse, "attempts">> {
  const agent = new SocksProxyAgent(proxy, { timeout: timeoutMs });
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      http.get(url, { agent, signal }, resolve).once("error", reject);
    });
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
  } finally {
    agent.destroy();
  }
}
