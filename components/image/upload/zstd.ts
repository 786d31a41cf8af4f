import type { Readable } from "node:stream";
import { runChild } from "../../process/child-process";

/** What to type where a packed disk is not as it should be. */
export const REPACK = "pack it again with `zstd --force disk.vhd`";

/** Starts zstd on a file. `ended` fails with zstd's own words where the file is damaged. */
export async function unpack(file: string): Promise<{ stdout: Readable; ended: Promise<void> }> {
  let ended: Promise<void> | undefined;
  const stdout = await new Promise<Readable>((consume, fail) => {
    const run = runChild("zstd", ["--decompress", "--stdout", "--long=31", "--quiet", "--", file], { consume });
    ended = run.then(({ code, stderr }) => {
      if (code !== 0) throw new Error(`cannot unpack '${file}': ${stderr.trim() || "zstd was killed"}`);
    });
    ended.catch(fail); // where it does not even start
  });
  return { stdout, ended: ended ?? Promise.resolve() };
}

/**
 * The size of a zstd file's content in bytes, as the headers of all its frames say it: pzstd writes several. Undefined
 * where one of them does not: zstd leaves it out when it compresses a pipe.
 */
export async function unpackedSize(file: string): Promise<number | undefined> {
  const { code, stdout } = await runChild("zstd", ["--list", "-v", "--", file]);
  const bytes = /^Decompressed Size: .*\((\d+) B\)$/m.exec(stdout.toString("utf8"))?.[1];
  return code === 0 && bytes !== undefined ? Number(bytes) : undefined;
}
