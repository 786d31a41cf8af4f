import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openLeaseMemory } from "../../../../components/image/upload/lease-memory";
import { download } from "./blob-store";
import type { ProxiedRequest } from "./fault-proxy";
import { until } from "./run-command";
import { MIB, type TestDisk } from "./test-disks";
import { startUploadRig, type UploadRig } from "./upload-rig";

const disk: TestDisk = {
  mebibytes: 16,
  runs: Array.from({ length: 12 }, (_, index) => [(2 + index) * MIB + index * 512, MIB / 8] as const),
};

let rig: UploadRig;
beforeAll(async () => {
  rig = await startUploadRig("lease", disk);
});
afterAll(() => rig.close());
beforeEach(() => rig.next());

const leaseAction = ({ headers }: ProxiedRequest): string => `${headers["x-ms-lease-action"] ?? ""}`;

/** Holds back writes, from one of them on, until something is done to the store. */
function meanwhile(
  firstWrite: number,
  act: () => Promise<unknown>,
  isHanging: (request: ProxiedRequest) => boolean = () => false,
): void {
  let writes = 0;
  let done: Promise<unknown> | undefined;
  rig.proxy.setFault((request) => {
    if (leaseAction(request) === "acquire") request.headers["x-ms-lease-duration"] = "15"; // Azure's shortest
    if (request.comp === "page") writes += 1;
    if (writes < firstWrite) return undefined;
    done ??= act();
    if (request.comp === "page") return { kind: "hold", until: done };
    return isHanging(request) ? { kind: "hang" } : undefined;
  });
}

describe("an upload whose lease", () => {
  it("another one broke and took ends with that, and touches nothing any more", async () => {
    const foreign = randomUUID();
    meanwhile(1, async () => {
      await rig.stored().getBlobLeaseClient(foreign).breakLease(0);
      await rig.stored().getBlobLeaseClient(foreign).acquireLease(60);
    });
    await expect(rig.upload()).rejects.toThrow(
      `'images/${rig.name()}' was taken over by another upload while this one was away ` +
        "(LeaseIdMismatchWithLeaseOperation): run it again, it goes on",
    );
    await rig.stored().getBlobLeaseClient(foreign).releaseLease(); // it is still the other one's
  });

  it("was broken says so, and goes on when it is run again", async () => {
    meanwhile(5, () => rig.stored().getBlobLeaseClient(randomUUID()).breakLease(0));
    await expect(rig.upload()).rejects.toThrow(
      /had its lease broken .*\(LeaseIsBrokenAndCannotBeRenewed\): run it again/,
    );
    rig.proxy.setFault(() => undefined);
    expect((await rig.upload())?.kept).toBeGreaterThan(0);
    expect((await download(rig.stored())).equals(rig.content)).toBe(true);
  });

  it("cannot be renewed for the network alone says that", async () => {
    let writes = 0;
    rig.proxy.setFault((request) => {
      if (request.comp === "page") writes += 1;
      if (request.comp === "page" && writes > 4)
        return { kind: "answer", status: 412, code: "LeaseNotPresentWithBlobOperation" };
      return leaseAction(request) === "renew" ? { kind: "drop" } : undefined;
    });
    await expect(rig.upload({ retries: { tries: 3 } })).rejects.toThrow(
      `cannot renew the lease on 'images/${rig.name()}': the connection was reset, after 3 tries: run it again, it goes on`,
    );
  });

  it("ran out while its renewals hung takes it again, as nobody else has", async () => {
    const isExpired = async (): Promise<boolean> => (await rig.stored().getProperties()).leaseState === "expired";
    let isOver = false;
    meanwhile(
      5,
      () => until("the lease's end", isExpired, 50_000).then(() => (isOver = true)),
      (request) => !isOver && leaseAction(request) === "renew",
    );
    const before = rig.proxy.requests.length;
    await rig.upload();
    expect(rig.proxy.requests.slice(before).some((request) => leaseAction(request) === "renew")).toBe(true);
    expect((await download(rig.stored())).equals(rig.content)).toBe(true);
    expect((await rig.stored().getProperties()).metadata?.complete).toBe("true");
  });
});

describe("a lease that is taken over from a dead upload", () => {
  /** A lease that an upload on this machine has left behind. */
  async function leaveBehind(id: string, memory: string): Promise<void> {
    await rig.stored().create(rig.content.length, { metadata: { digest: "d1", complete: "false" } });
    await rig.stored().getBlobLeaseClient(id).acquireLease(60);
    const key = (rig.stored().url.split("?")[0] ?? "").replace(/:\d+\//, `:${rig.proxy.port}/`);
    openLeaseMemory(key, memory).write(id);
    for (const name of fs.readdirSync(memory)) {
      const file = path.join(memory, name);
      const holder = JSON.parse(fs.readFileSync(file, "utf8"));
      fs.writeFileSync(file, JSON.stringify({ ...holder, process: 2 ** 30 })); // beyond any process
    }
  }

  it.each([false, true])(
    "is another lease: what the dead one still sends is refused (answer lost: %s)",
    async (isLost) => {
      const dead = randomUUID();
      const memory = path.join(rig.folder, `memory-${isLost}`);
      await leaveBehind(dead, memory);
      let late: Promise<unknown> | undefined;
      let changes = 0;
      rig.proxy.setFault((request) => {
        if (leaseAction(request) === "change") changes += 1;
        if (leaseAction(request) === "change" && changes === 1 && isLost) return { kind: "loseAnswer" };
        if (request.comp !== "page") return undefined;
        const conditions = { leaseId: dead };
        late ??= rig
          .stored()
          .uploadPages(Buffer.alloc(512, 7), 15 * MIB, 512, { conditions })
          .catch((error: { code?: string }) => error.code);
        return { kind: "hold", until: late };
      });
      await rig.upload({ memory });
      expect(rig.lines).toEqual([]); // it did not wait
      expect(await late).toBe("LeaseIdMismatchWithBlobOperation");
      expect((await download(rig.stored())).equals(rig.content)).toBe(true);
      expect(fs.readdirSync(memory)).toEqual([]);
    },
  );
});
