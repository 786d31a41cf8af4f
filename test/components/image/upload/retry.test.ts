import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CredentialFailure, steadyCredential } from "../../../../components/image/upload/credential-failure";
import { type Attempt, createAttempt, type RetryPatience } from "../../../../components/image/upload/retry";
import type { StorageProblem } from "../../../../components/image/upload/storage-problem";

const MINUTE = 60_000;
const reset = () => Object.assign(new Error("read ECONNRESET"), { name: "RestError", code: "ECONNRESET" });
const credential = (name: string, message: string, more: object = {}) =>
  new CredentialFailure(Object.assign(new Error(message), { name, ...more }));

let attempt: Attempt;
const start = (patience: RetryPatience = {}, signal = new AbortController().signal) => {
  attempt = createAttempt({ firstPauseMs: 1, ...patience, log: () => {}, signal });
};
/** A request that fails with these, one after the other, and then succeeds. */
const failing = (...errors: readonly (() => Error)[]) => {
  const left = [...errors];
  return () => {
    const next = left.shift();
    return next ? Promise.reject(next()) : Promise.resolve("done");
  };
};
const put = (request: () => Promise<unknown>): Promise<unknown> => attempt("put range 0-511 of 'images/x'", request);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  start();
});
afterEach(() => void vi.useRealTimers());
const later = (ms: number, error: () => Error) => () => {
  vi.setSystemTime(Date.now() + ms);
  return error();
};

describe("the patience of an upload", () => {
  it("outlives a machine that slept for hours before the first failure", async () => {
    await put(failing());
    expect(await put(failing(later(180 * MINUTE, reset)))).toBe("done");
  });

  it("outlives a machine that slept for hours between two failures", async () => {
    expect(await put(failing(reset, later(180 * MINUTE, reset)))).toBe("done");
  });

  it("ends when all has failed for longer than it", async () => {
    const minute = later(MINUTE, reset);
    const problem =
      "cannot put range 0-511 of 'images/x': the connection was reset, after 7 tries: run it again, it goes on";
    await expect(put(failing(...Array.from({ length: 9 }, () => minute)))).rejects.toThrow(problem);
  });

  it("begins again with each success", async () => {
    const minute = later(MINUTE, reset);
    for (let round = 0; round < 3; round++) expect(await put(failing(minute, minute, minute))).toBe("done");
  });
});

it("an interruption while it pauses is what it throws", async () => {
  const controller = new AbortController();
  start({ firstPauseMs: 60_000 }, controller.signal);
  const request = failing(reset);
  const running = put(() => {
    setImmediate(() => controller.abort(new Error("interrupted: run it again")));
    return request();
  });
  await expect(running).rejects.toThrow("interrupted: run it again");
});

describe("a token that cannot be had", () => {
  const noNetwork = () =>
    credential("AuthenticationRequiredError", "network_error: Network request failed: getaddrinfo\nadvice");
  const loggedOut = () => credential("CredentialUnavailableError", "Please run 'az login'");
  const refused = () => credential("AuthenticationError", "AADSTS7000222: the secret is over\n", { statusCode: 401 });

  it.each<[string, () => Error]>([
    ["of the network", noNetwork],
    ["of a token service out of order", () => credential("AuthenticationError", "oops", { statusCode: 503 })],
    [
      "of the network, as the first of a chain says",
      () =>
        credential("AggregateAuthenticationError", "all failed", {
          errors: [new Error("Max retries exceeded with url"), new Error("no managed identity")],
        }),
    ],
    ["of a CI system", () => credential("Error", "ci.example gives no OIDC token (502): check permissions")],
    ["of a fetch that failed", () => credential("TypeError", "fetch failed", { cause: { code: "ECONNREFUSED" } })],
  ])("because %s is asked for again", async (_what, error) => {
    expect(await put(failing(error, error))).toBe("done");
  });

  it("is told with the blob, the range and the reason's first line", async () => {
    start({ tries: 2 });
    await expect(put(failing(noNetwork, noNetwork))).rejects.toThrow(
      "cannot put range 0-511 of 'images/x': network_error: Network request failed: getaddrinfo, after 2 tries: " +
        "run it again, it goes on",
    );
  });

  it.each<[string, () => Error, string]>([
    ["nobody is logged in", loggedOut, "Please run 'az login'"],
    ["it is refused", refused, "AADSTS7000222: the secret is over"],
  ])("because %s fails at once, but not once it has worked", async (_what, error, message) => {
    await expect(put(failing(error))).rejects.toThrow(`cannot put range 0-511 of 'images/x': ${message}`);
    await put(failing());
    expect(await put(failing(error, error))).toBe("done");
  });

  it("names the request for whatever else is thrown", async () => {
    const strange = put(failing(() => new TypeError("strange")));
    await expect(strange).rejects.toThrow("cannot put range 0-511 of 'images/x': strange");
    expect(await strange.catch((error: StorageProblem) => error.code)).toBe("");
  });

  it("is not missed while the last one is good", async () => {
    const token = { token: "first", expiresOnTimestamp: Date.now() + MINUTE };
    const getToken = vi.fn(async () => token);
    const steady = steadyCredential({ getToken });
    expect(await steady.getToken("scope")).toEqual(token);
    getToken.mockRejectedValue(new Error("network_error"));
    expect(await steady.getToken("scope")).toMatchObject(token);
    await expect(steady.getToken("another scope")).rejects.toThrow(CredentialFailure);
    vi.setSystemTime(Date.now() + 2 * MINUTE);
    await expect(steady.getToken("scope")).rejects.toThrow(CredentialFailure);
  });
});
