import * as fs from "node:fs";
import * as path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { endStalledRequests } from "../../../../components/image/upload/stalled-requests";
import { download } from "./blob-store";
import type { Fault, FaultProxy, ProxiedRequest } from "./fault-proxy";
import { MIB, type TestDisk, vhd } from "./test-disks";
import { type RigUpload, startUploadRig, type UploadRig } from "./upload-rig";

/** Many requests, each small: what is looked at is what happens to a request. */
const RUN = 64 * 1024;
const start = (index: number) => 2 * MIB + index * (MIB / 2 + 512);
const disk: TestDisk = {
  mebibytes: 16,
  runs: Array.from({ length: 24 }, (_, index) => [start(index), RUN] as const),
};
const DATA = disk.runs.length * RUN;

let rig: UploadRig;
let proxy: FaultProxy;
let content: Buffer;

beforeAll(async () => {
  rig = await startUploadRig("faults", disk);
  ({ content, proxy } = rig);
});
afterAll(() => rig.close());
beforeEach(() => rig.next());
afterEach(() => proxy.setFault(() => undefined));

const stored = () => rig.stored();
const upload = (options?: RigUpload) => rig.upload(options);

/** Each Nth request meets the fault, as long as `isMet` says so. */
const each = (n: number, fault: Fault, isMet: (request: ProxiedRequest) => boolean = () => true) => {
  let count = 0;
  return (request: ProxiedRequest): Fault | undefined => {
    if (!isMet(request)) return undefined;
    count += 1;
    return count % n === 0 ? fault : undefined;
  };
};

describe("the blob equals the disk, byte for byte, although", () => {
  it.each<[string, (request: ProxiedRequest) => Fault | undefined]>([
    ["every third request is refused as too many", each(3, { kind: "answer", status: 503, code: "ServerBusy" })],
    [
      "every third request is refused with a pause",
      each(3, { kind: "answer", status: 429, code: "TooManyRequests", retryAfter: 0 }),
    ],
    ["every third request fails inside Azure", each(3, { kind: "answer", status: 500, code: "InternalError" })],
    ["every third connection is dropped", each(3, { kind: "drop" })],
    [
      "every third write is cut in the middle",
      each(3, { kind: "cutRequest", afterBytes: 10_000 }, ({ comp }) => comp === "page"),
    ],
    ["every third answer is lost", each(3, { kind: "loseAnswer" })],
    ["every third answer is cut", each(3, { kind: "cutAnswer" })],
    ["every second request is slow", each(2, { kind: "delay", ms: 60 })],
    ["tokens run out", each(5, { kind: "answer", status: 401, code: "InvalidAuthenticationInfo" })],
    [
      "ranges arrive damaged",
      each(4, { kind: "answer", status: 400, code: "Md5Mismatch" }, ({ comp }) => comp === "page"),
    ],
    [
      "every third range arrives with one bit changed",
      each(3, { kind: "flip", byte: 77 }, ({ comp }) => comp === "page"),
    ],
  ])("%s", async (_what, fault) => {
    proxy.setFault(fault);
    const result = await upload();
    proxy.setFault(() => undefined);
    expect(result?.sent).toBeGreaterThanOrEqual(DATA);
    expect((await download(stored())).equals(content)).toBe(true);
    const { leaseState, metadata } = await stored().getProperties();
    expect({ complete: metadata?.complete, leaseState }).toEqual({ complete: "true", leaseState: "available" });
  });

  it("the first answer to each kind of request is lost", async () => {
    const seen = new Set<string>();
    proxy.setFault(({ comp, headers, method }) => {
      const kind = `${method} ${comp} ${headers["x-ms-lease-action"] ?? ""}`;
      if (seen.has(kind)) return undefined;
      seen.add(kind);
      return { kind: "loseAnswer" };
    });
    await upload();
    expect([...seen].sort()).toEqual([
      "GET pagelist ", // as the answer to the creation was lost, somebody else might have made the blob
      "HEAD  ",
      "PUT  ",
      "PUT lease acquire",
      "PUT lease release",
      "PUT metadata ",
      "PUT page ",
    ]);
    expect((await download(stored())).equals(content)).toBe(true);
  });

  it("the answer to its restart is lost", async () => {
    await stored().create(8 * MIB, { metadata: { digest: "old", complete: "false" } });
    let seen = 0;
    proxy.setFault(({ comp, headers, method }) => {
      const isRestart = method === "PUT" && comp === "" && headers["if-match"] !== undefined;
      if (isRestart) seen += 1;
      return isRestart && seen === 1 ? { kind: "loseAnswer" } : undefined;
    });
    await upload();
    expect(seen).toBe(2);
    expect((await download(stored())).equals(content)).toBe(true);
  });

  it("it is deleted before it is leased", async () => {
    let isDeleted: Promise<unknown> | undefined;
    proxy.setFault(({ headers }) => {
      if (headers["x-ms-lease-action"] !== "acquire" || isDeleted) return undefined;
      isDeleted = stored().delete();
      return { kind: "hold", until: isDeleted };
    });
    await upload();
    expect(isDeleted).toBeDefined();
    expect((await download(stored())).equals(content)).toBe(true);
  });

  it("somebody else wrote to it before it was leased", async () => {
    let isWritten: Promise<unknown> | undefined;
    proxy.setFault(({ headers }) => {
      if (headers["x-ms-lease-action"] !== "acquire" || isWritten) return undefined;
      isWritten = stored().uploadPages(Buffer.alloc(512, 7), 15 * MIB, 512); // where the disk has zeros
      return { kind: "hold", until: isWritten };
    });
    await upload();
    expect(isWritten).toBeDefined();
    expect((await download(stored())).equals(content)).toBe(true);
  });

  it("the store knows no CRC-64: each range then comes with its MD5", async () => {
    proxy.setFault(({ headers }) =>
      headers["x-ms-content-crc64"] ? { kind: "answer", status: 500, code: "FeatureNotSupported" } : undefined,
    );
    const before = proxy.requests.length;
    await upload();
    const writes = proxy.requests.slice(before).filter(({ comp }) => comp === "page");
    expect(writes.every(({ headers }) => headers["x-ms-content-crc64"] || headers["content-md5"])).toBe(true);
    expect(writes.at(-1)?.headers["content-md5"]).toMatch(/^[\w+/]{22}==$/);
    expect((await download(stored())).equals(content)).toBe(true);
  });

  it("a connection goes dead", async () => {
    const endWatch = endStalledRequests(2_000);
    proxy.setFault(each(9, { kind: "hang" }, ({ comp }) => comp === "page"));
    await upload().finally(endWatch);
    expect((await download(stored())).equals(content)).toBe(true);
  });
});

describe("an upload that cannot go on", () => {
  it("ends after a bounded time, and names blob, range and Azure's code", async () => {
    proxy.setFault(({ range }) =>
      range.startsWith(`bytes=${start(2)}-`) ? { kind: "answer", status: 503, code: "ServerBusy" } : undefined,
    );
    const busy = `cannot put range ${start(2)}-\\d+ of 'images/${rig.name()}': ServerBusy, HTTP 503`;
    await expect(upload({ retries: { tries: 4 } })).rejects.toThrow(
      new RegExp(`^${busy}, after 4 tries: run it again, it goes on$`),
    );
    expect(rig.lines).toContainEqual(expect.stringMatching(new RegExp(`^${busy}; trying again$`)));
    expect((await stored().getProperties()).leaseState).toBe("available");
  });

  it("ends when nothing succeeds for a while", async () => {
    proxy.setFault(() => ({ kind: "drop" }));
    const start = Date.now();
    await expect(upload({ retries: { patienceMs: 100, tries: 1000 } })).rejects.toThrow(
      /cannot create 'images\/faults-\d+\.vhd': the connection was reset, after/,
    );
    expect(Date.now() - start).toBeLessThan(5_000);
  });

  it("does not try again what will not pass by itself, and shows no signature", async () => {
    proxy.setFault(each(1, { kind: "answer", status: 403, code: "AuthenticationFailed" }));
    const before = proxy.requests.length;
    const error = await upload().catch((reason: Error) => reason);
    expect(`${error}`).toContain("AuthenticationFailed, HTTP 403: the SAS or token is not valid (any more)");
    expect(`${error}`).not.toContain("sig=");
    expect(proxy.requests.length - before).toBe(1);
  });

  it("gives the lease free when it is interrupted", async () => {
    const controller = new AbortController();
    proxy.setFault(({ comp }) => {
      if (comp === "page") controller.abort(new Error("interrupted"));
      return undefined;
    });
    await expect(upload({ signal: controller.signal })).rejects.toThrow("interrupted");
    const { leaseState, metadata } = await stored().getProperties();
    expect({ complete: metadata?.complete, leaseState }).toEqual({ complete: "false", leaseState: "available" });
  });
});

describe("an upload that was interrupted", () => {
  /** @returns bytes of data that are there then */
  const interrupted = async (afterRequests: number): Promise<number> => {
    let count = 0;
    proxy.setFault(({ comp }) => {
      if (comp === "page") count += 1;
      const isOver = comp === "page" && count > afterRequests;
      return isOver ? { kind: "answer", status: 400, code: "InjectedEnd" } : undefined;
    });
    await expect(upload()).rejects.toThrow("InjectedEnd");
    proxy.setFault(() => undefined);
    const { pageRange = [] } = await stored().getPageRanges();
    return pageRange.reduce((sum, { count = 0 }) => sum + count + 1, 0); // the SDK counts to the last byte, without it
  };

  it("goes on: ranges that are there, and right, are not sent again", async () => {
    const there = await interrupted(16);
    const result = await upload();
    expect(result?.kept).toBe(there);
    expect((result?.sent ?? 0) + (result?.kept ?? 0)).toBeLessThan(1.02 * DATA + 0.1 * MIB);
    expect(rig.lines).toContain(`going on with an upload of 'images/${rig.name()}' that was interrupted`);
    expect((await download(stored())).equals(content)).toBe(true);
  });

  it("goes on: what is there is looked at in several requests at once, before anything is sent", async () => {
    await upload();
    const { metadata = {} } = await stored().getProperties();
    await stored().setMetadata({ ...metadata, complete: "false" });
    let seen = 0;
    let meet = (): void => {};
    const met = new Promise<void>((resolve) => {
      meet = resolve;
    });
    proxy.setFault(({ headers }) => {
      if (!headers["x-ms-range-get-content-md5"]) return undefined;
      seen += 1;
      if (seen === 2) meet();
      return { kind: "hold", until: met };
    });
    expect((await upload())?.sent).toBe(0);
    expect(seen).toBeGreaterThan(2);
  });

  it("goes on where Azure tells no MD5", async () => {
    const there = await interrupted(16);
    proxy.setFault(({ headers }) => {
      delete headers["x-ms-range-get-content-md5"];
      return undefined;
    });
    const result = await upload();
    expect(result?.kept).toBe(there);
    expect((await download(stored())).equals(content)).toBe(true);
  });

  it("goes on although answers to its checks are cut and lost", async () => {
    const there = await interrupted(16);
    proxy.setFault(each(2, { kind: "cutAnswer" }, ({ method }) => method === "GET"));
    expect((await upload())?.kept).toBe(there);
    expect((await download(stored())).equals(content)).toBe(true);
  });

  it("does not mix with another content: what differs is sent, what is zero now is cleared", async () => {
    const other = path.join(rig.folder, "other.vhd");
    const runs = [[2 * MIB, MIB], ...disk.runs.slice(4), [15 * MIB, MIB / 2]] as TestDisk["runs"];
    fs.writeFileSync(other, vhd({ ...disk, runs, seed: "other" }));
    await interrupted(16);
    const result = await upload({ file: other });
    expect(result?.kept).toBeLessThan(RUN);
    expect((await download(stored())).equals(fs.readFileSync(other))).toBe(true);
  });

  it("is begun again where the disk has another size or digest", async () => {
    const smaller = path.join(rig.folder, "smaller.vhd");
    fs.writeFileSync(smaller, vhd({ ...disk, mebibytes: 15 }));
    await interrupted(16);
    await upload({ file: smaller });
    expect((await download(stored())).equals(fs.readFileSync(smaller))).toBe(true);
    rig.next();
    await interrupted(16);
    expect((await upload({ digest: "d2" }))?.kept).toBe(0);
    expect((await download(stored())).equals(content)).toBe(true);
  });
});
