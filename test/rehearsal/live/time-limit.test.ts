import { describe, expect, it } from "vitest";
import { withinTime } from "./time-limit";

describe("a live rehearsal's time", () => {
  const soon = (ms: number) => new Date(Date.now() + ms);

  it("is long enough for work that ends before", async () => {
    expect(await withinTime(soon(60_000), async () => "done")).toBe("done");
    await expect(withinTime(soon(60_000), () => Promise.reject(new Error("refused")))).rejects.toThrow("refused");
  });

  it.each([10, -10])("ends what hangs (%d ms)", async (ms) => {
    const moment = soon(ms);
    await expect(withinTime(moment, () => new Promise(() => {}))).rejects.toThrow(
      `its time was over at ${moment.toISOString()}: what it has made is removed`,
    );
  });
});
