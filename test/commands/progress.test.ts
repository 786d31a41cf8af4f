import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createProgress, describe as describeTransfer, size, time } from "../../commands/progress";

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

  it("a transfer tells rate, what was skipped, and the time left", () => {
    const transfer = { done: 100 * MIB, total: 400 * MIB, sent: 40 * MIB, skipped: 60 * MIB };
    expect(describeTransfer(transfer, 10)).toBe("25%, 40.0 MiB sent, 60.0 MiB skipped, 4.0 MiB/s, 30 s left");
    expect(describeTransfer({ done: 0, total: 0, sent: 0, skipped: 0 }, 0)).toBe("0%, 0 B sent, 0 B skipped, 0 B/s");
  });
});

describe("progress", () => {
  let written: string[];
  const output = (isTTY: boolean): NodeJS.WriteStream =>
    ({ isTTY, columns: 60, write: (text: string) => written.push(text) }) as unknown as NodeJS.WriteStream;
  const at = (done: number) => ({ done, total: 100, sent: done, skipped: 0 });
  beforeEach(() => {
    written = [];
    vi.useFakeTimers({ toFake: ["Date"] });
  });
  afterEach(() => void vi.useRealTimers());

  it("is a line every five seconds where there is no terminal", () => {
    const progress = createProgress("uploading", output(false));
    for (let second = 0; second < 12; second++) {
      progress.show(at(second));
      vi.setSystemTime(Date.now() + 1000);
    }
    progress.end();
    expect(written.join("")).toMatch(/^uploading 5%, .*\nuploading 10%, .*\n$/);
  });

  it("is a bar on a terminal, no wider than it, with lines above it and nothing left behind", () => {
    const progress = createProgress("uploading", output(true));
    progress.show(at(50));
    expect(written.join("")).toContain("uploading [============            ] 50%, ");
    expect(written.join("").replaceAll("\r\u001b[K", "").length).toBeLessThanOrEqual(60);
    progress.log("a line");
    progress.end();
    expect(written.join("").endsWith("\r\u001b[Ka line\n\r\u001b[K")).toBe(true);
  });
});
