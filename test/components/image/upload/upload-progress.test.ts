import * as fs from "node:fs";
import * as path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Transfer } from "../../../../components/process/progress";
import { MIB, type TestDisk, vhd, writeSparse } from "./test-disks";
import { startUploadRig, type UploadRig } from "./upload-rig";

/** No zeros at all but those around the partition table. */
const full: TestDisk = { mebibytes: 48, runs: [[0, 48 * MIB]] };
const sparse: TestDisk = {
  mebibytes: 64,
  runs: [
    [MIB, 2 * MIB],
    [40 * MIB, 6 * MIB],
  ],
};
const TABLE = 64 * 1024;

let rig: UploadRig;
beforeAll(async () => {
  rig = await startUploadRig("progress", full);
});
afterAll(() => rig.close());
beforeEach(() => rig.next());

/** Looks at the progress whenever a request comes by. */
function watch(look: { now?: () => Transfer }, seen: Transfer[], onWrite: () => void = () => {}): void {
  rig.proxy.setFault(({ comp }) => {
    if (look.now) seen.push(look.now());
    if (comp === "page") onWrite();
    return comp === "page" ? { kind: "delay", ms: 5 } : undefined;
  });
}

const total = ({ kept = 0, left, sent = 0, skipped = 0 }: Transfer): number => left + sent + kept + skipped;

describe("the numbers of an upload's progress", () => {
  it("of a full disk: nothing is skipped, and what is on its way is left", async () => {
    const look: { now?: () => Transfer } = {};
    const seen: Transfer[] = [];
    watch(look, seen);
    let ended = 0;
    const result = await rig.upload({
      follow: (now) => {
        look.now = now;
        return () => {
          ended += 1;
        };
      },
    });
    expect(seen.length).toBeGreaterThan(12);
    for (const transfer of seen) {
      expect(transfer.skipped).toBeLessThan(TABLE);
      expect(transfer.data).toBe(rig.content.length);
      expect(Math.abs(total(transfer) - rig.content.length)).toBeLessThanOrEqual(TABLE);
    }
    const first = seen.find(({ left, data }) => left < data) ?? seen[0];
    expect(first?.left).toBeGreaterThan(rig.content.length - 36 * MIB);
    const { kept, left, sent, skipped } = look.now?.() ?? { left: -1 };
    expect({ kept, left, sent, skipped }).toEqual({
      kept: 0,
      left: 0,
      sent: result?.sent,
      skipped: result?.skipped,
    });
    expect(ended).toBe(1);
  });

  it("of a disk with holes: what is left is data, holes are skipped", async () => {
    const file = path.join(rig.folder, "sparse.vhd");
    const content = vhd(sparse);
    writeSparse(file, content);
    const hasHoles = fs.statSync(file).blocks * 512 < 16 * MIB;
    const look: { now?: () => Transfer } = {};
    const seen: Transfer[] = [];
    watch(look, seen);
    const result = await rig.upload({
      file,
      follow: (now) => {
        look.now = now;
        return () => {};
      },
    });
    const { data } = seen.at(-1) ?? { data: 0 };
    expect(data).toBeLessThan(hasHoles ? 9 * MIB : content.length + 1);
    for (const { left } of seen) expect(left).toBeLessThanOrEqual(Math.max(data, content.length * Number(!hasHoles)));
    expect(look.now?.()).toMatchObject({ left: 0, sent: result?.sent, skipped: content.length - (result?.sent ?? 0) });
  });

  it("of an upload that goes on: what was there is kept, not sent", async () => {
    const controller = new AbortController();
    let writes = 0;
    watch({}, [], () => {
      writes += 1;
      if (writes === 10) controller.abort(new Error("interrupted"));
    });
    await expect(rig.upload({ signal: controller.signal })).rejects.toThrow("interrupted");
    const look: { now?: () => Transfer } = {};
    const seen: Transfer[] = [];
    watch(look, seen);
    const result = await rig.upload({
      follow: (now) => {
        look.now = now;
        return () => {};
      },
    });
    expect(result?.kept).toBeGreaterThan(0);
    expect(look.now?.()).toMatchObject({ left: 0, kept: result?.kept, sent: result?.sent });
    for (const transfer of seen) expect(Math.abs(total(transfer) - rig.content.length)).toBeLessThanOrEqual(TABLE);
  });

  it("of a comparison: how much of the disk was read", async () => {
    await rig.upload();
    const titles: (string | undefined)[] = [];
    let now: (() => Transfer) | undefined;
    rig.next(rig.name());
    await rig.upload({
      follow: (look, title) => {
        titles.push(title);
        now = look;
        return () => {};
      },
      memory: path.join(rig.folder, "none"),
    });
    expect(titles).toEqual(["comparing"]);
    expect(now?.()).toEqual({ position: rig.content.length, data: rig.content.length, left: 0 });
  });
});
