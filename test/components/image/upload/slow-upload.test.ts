import { afterAll, beforeAll, expect, it } from "vitest";
import { describe as describeProgress, type Transfer } from "../../../../components/process/progress";
import { MIB } from "./test-disks";
import { startUploadRig, type UploadRig } from "./upload-rig";

/** 1 Mbit/s, for 20 s: a disk as an image is, dense at its beginning, then files with gaps between them. */
const bytesPerSecond = 1e6 / 8;
const dense = 1.2 * MIB;
const files = Array.from({ length: 30 }, (_, index) => [(6 + index / 2) * MIB, 8192 * (1 + (index % 9))] as const);

let rig: UploadRig;
beforeAll(async () => {
  rig = await startUploadRig("slow", { mebibytes: 24, runs: [[2 * MIB, dense], ...files] }, { bytesPerSecond });
});
afterAll(() => rig.close());

/** `3 min left`, `12 s left`: in seconds. */
function secondsLeft(text: string): number {
  const [, count, unit] = /(\d+) (s|min) left/.exec(text) ?? [];
  return Number(count) * (unit === "min" ? 60 : 1);
}

it("the time left is right within a fifth from the first 5% on, at 1 Mbit/s", { timeout: 180_000 }, async () => {
  rig.next();
  const said: { at: number; percent: number; left: number }[] = [];
  const look = (now: () => Transfer, start: number) => () => {
    const transfer = now();
    const at = Date.now();
    const text = describeProgress(transfer, (at - start) / 1000, (at - (transfer.sentAt ?? at)) / 1000);
    said.push({ at, percent: Number.parseInt(text, 10), left: secondsLeft(text) });
  };
  let end = 0;
  await rig.upload({
    follow(now) {
      const timer = setInterval(look(now, Date.now()), 250);
      return () => {
        end = Date.now();
        clearInterval(timer);
      };
    },
  });
  const wrong = said
    .filter(({ percent, left }) => percent >= 5 && Number.isFinite(left))
    .map(({ at, left, percent }) => ({ percent, left, right: (end - at) / 1000 }))
    .filter(({ left, right }) => Math.abs(left - right) > Math.max(2, right / 5 + 1)); // it is said in whole seconds, upwards
  expect(said.length).toBeGreaterThan(20);
  expect(wrong).toEqual([]);
});
