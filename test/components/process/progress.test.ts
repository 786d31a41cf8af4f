import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createProgress, describe as describeTransfer, size, time } from "../../../components/process/progress";

const MIB = 1024 * 1024;

describe("numbers for people", () => {
  it.each([
    [0, "0 B"],
    [512, "512 B"],
    [1536, "1.5 KiB"],
    [2 * 1024 * MIB, "2.0 GiB"],
    [3000 * 1024 ** 4, "3000.0 TiB"],
  ])("%i bytes are %s", (bytes, text) => expect(size(bytes)).toBe(text));

  it.each([
    [0.2, "1 s"],
    [89, "89 s"],
    [100, "2 min"],
    [7500, "2 h 5 min"],
  ])("%f seconds are %s", (seconds, text) => expect(time(seconds)).toBe(text));

  it("a transfer tells rate, what was skipped, and the time that the data left will take", () => {
    const transfer = { data: 160 * MIB, left: 120 * MIB, sent: 40 * MIB, skipped: 600 * MIB };
    expect(describeTransfer(transfer, 10)).toBe("25%, 40.0 MiB sent, 600.0 MiB skipped, 4.0 MiB/s, 30 s left");
    const none = { data: 0, left: 0, sent: 0, skipped: 0 };
    expect(describeTransfer(none, 0)).toBe("0%, 0 B sent, 0 B skipped, 0 B/s");
  });

  it("a transfer that was resumed tells also what was there", () => {
    const transfer = { data: 100 * MIB, left: 50 * MIB, sent: 10 * MIB, kept: 30 * MIB, skipped: 20 * MIB };
    expect(describeTransfer(transfer, 5)).toBe(
      "50%, 10.0 MiB sent, 30.0 MiB were there, 20.0 MiB skipped, 2.0 MiB/s, 5 s left",
    );
  });

  it("a comparison sends nothing", () => {
    expect(describeTransfer({ data: 100 * MIB, left: 0 }, 5)).toBe("100%, 20.0 MiB/s");
  });
});

describe("progress", () => {
  let written: string[];
  const output = (isTTY: boolean): NodeJS.WriteStream =>
    ({ isTTY, columns: 60, write: (text: string) => written.push(text) }) as unknown as NodeJS.WriteStream;
  beforeEach(() => {
    written = [];
    vi.useFakeTimers();
  });
  afterEach(() => void vi.useRealTimers());

  it("is a line every five seconds where there is no terminal, also while nothing moves, until its end", () => {
    const progress = createProgress("uploading", output(false));
    let sent = 0;
    const unfollow = progress.follow(() => ({ data: 100, left: 100 - sent, sent }));
    vi.advanceTimersByTime(4_999);
    expect(written).toEqual([]);
    sent = 5;
    vi.advanceTimersByTime(11_000);
    unfollow();
    vi.advanceTimersByTime(60_000);
    expect(written).toEqual([
      "uploading 5%, 5 B sent, 0 B skipped, 1 B/s, 2 min left\n",
      "uploading 5%, 5 B sent, 0 B skipped, 1 B/s, 4 min left\n",
      "uploading 5%, 5 B sent, 0 B skipped, 0 B/s, 5 min left\n",
    ]);
  });

  it("counts no time from before it was followed", () => {
    const progress = createProgress("uploading", output(false));
    vi.advanceTimersByTime(60_000); // a lease, a new role
    progress.follow(() => ({ data: 100 * MIB, left: 50 * MIB, sent: 50 * MIB, skipped: 0 }), "comparing");
    vi.advanceTimersByTime(5_000);
    expect(written).toEqual(["comparing 50%, 50.0 MiB sent, 0 B skipped, 10.0 MiB/s, 5 s left\n"]);
  });

  it.each([
    [
      120,
      "uploading [==========              ] 43%, 43.0 MiB sent, 8.0 MiB were there, 0 B skipped, 4.3 MiB/s, 14 s left",
    ],
    [80, "uploading [==========              ] 43%, 4.3 MiB/s, 14 s left"],
    [50, "uploading 43%, 4.3 MiB/s, 14 s left"],
    [30, "43%, 4.3 MiB/s, 14 s left"],
    [12, "43%"],
  ])("leaves words out on a terminal of %i columns, and cuts none", (columns, expected) => {
    const progress = createProgress("uploading", { ...output(true), columns } as NodeJS.WriteStream);
    progress.follow(() => ({ data: 100 * MIB, left: 57 * MIB, sent: 43 * MIB, kept: 8 * MIB }));
    vi.advanceTimersByTime(10_000);
    expect(written.at(-1)).toBe(`\r\u001b[K${expected}`);
  });

  it("is a bar on a terminal, no wider than it, with lines above it and nothing left behind", () => {
    const progress = createProgress("uploading", output(true));
    const unfollow = progress.follow(() => ({ data: 100, left: 50, sent: 50 }));
    vi.advanceTimersByTime(200);
    unfollow();
    expect(written.join("")).toContain("uploading [============            ] 50%, ");
    expect(written.join("").replaceAll("\r\u001b[K", "").length).toBeLessThanOrEqual(60);
    progress.log("a line");
    progress.end();
    expect(written.join("").endsWith("\r\u001b[Ka line\n\r\u001b[K")).toBe(true);
  });
});
