import { expect, it, vi } from "vitest";
import { printed } from "../../../../components/secrets/sources/printed";
import { linuxTerminal } from "../../../../components/secrets/sources/terminal";

it("a program that hangs is told of, and ended in the end, with what it has printed left out", async () => {
  const said = vi.spyOn(console, "error").mockImplementation(() => {});
  const limits = { tellAfterMs: 50, limitMs: 600 };
  const run = printed("source command:slow", "sh", ["-c", "echo half of it; sleep 600"], limits);
  await expect(run).rejects.toThrow(
    /^source command:slow did not end within [\d.]+ min: run it by hand to see what it waits for$/,
  );
  expect(said.mock.calls).toEqual([[expect.stringMatching(/^source command:slow has not answered yet, waiting/)]]);
  said.mockRestore();
});

it("a program that answers is not told of", async () => {
  const said = vi.spyOn(console, "error").mockImplementation(() => {});
  expect((await printed("source command:echo", "echo", ["word"])).stdout.toString()).toBe("word\n");
  expect(said).not.toHaveBeenCalled();
  said.mockRestore();
});

// 34816 is 136 * 256, 1025 is 4 * 256 + 1; the name of a program may have anything in it.
it.each([
  ["1 (node) S 1 1 1 34818 0", "/dev/pts/2"],
  ["1 (a) b) (S 9) S 1 1 1 35072 0", "/dev/pts/256"],
  ["1 (node) S 1 1 1 1025 0", "/dev/tty1"],
  ["1 (node) S 1 1 1 0 -1", undefined],
])("the terminal is read from %s without ps", (stat, terminal) => {
  expect(linuxTerminal(stat)).toBe(terminal);
});
