import type { ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";

export interface OutputOptions {
  /** Reads standard output as it comes, without a limit; the result's `stdout` is then empty. @default it is collected */
  consume?: ((stdout: Readable) => void) | undefined;
  /** The child is killed if it prints more. Bytes. @default 64 MiB */
  maximumOutput?: number | undefined;
}

/**
 * Gathers what a child prints; the returned function gives it once the child has closed.
 * @param tooMuch called when it prints more than `maximumOutput`
 */
export function collectOutput(
  child: ChildProcess,
  options: OutputOptions,
  tooMuch: () => void,
): () => { stdout: Buffer; stderr: string } {
  const { consume, maximumOutput = 64 * 1024 * 1024 } = options;
  const chunks: Buffer[] = [];
  let size = 0;
  let stderr = "";
  if (consume) consume(child.stdout as Readable);
  else
    child.stdout?.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > maximumOutput) tooMuch();
      else chunks.push(chunk);
    });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-64 * 1024);
  });
  return () => ({ stdout: joinAndWipe(chunks), stderr });
}

/** The chunks as one buffer, which is then the only copy: they may hold a secret. */
function joinAndWipe(chunks: Buffer[]): Buffer {
  const whole = Buffer.concat(chunks);
  for (const chunk of chunks) chunk.fill(0);
  return whole;
}
