import type { Readable } from "node:stream";

/**
 * Gives each line of a stream as it comes, without its end. What comes last and has no end is no line: its writer was
 * stopped within it.
 */
export function takeLines(stream: Readable, take: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(line);
  });
}
