import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { nixTreeDigest } from "../../components/image/image";

/**
 * The time to digest a guest's tree of 1,000 files, as every preview does, beside `tar | sha256sum` over the same tree,
 * in turns. `--json` adds a last line of JSON: milliseconds of the best of 15 rounds, and the ratio.
 */
const ROUNDS = 15;
const FILES = 1_000;

function milliseconds(work: () => unknown): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "digest-"));
try {
  for (let index = 0; index < FILES; index++) {
    const file = path.join(folder, "modules", String(index % 20), `${index}.nix`);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, `{ value = ${index}; }\n`);
  }
  const times = Array.from({ length: ROUNDS }, () => ({
    ours: milliseconds(() => nixTreeDigest(folder)),
    peer: milliseconds(() => execFileSync("/bin/sh", ["-c", 'tar -c -C "$0" . | sha256sum', folder])),
  }));
  const ours = Math.min(...times.map((time) => time.ours));
  const ratio = ours / Math.min(...times.map((time) => time.peer));
  console.log(`${FILES} files: ${ours.toFixed(1)} ms, ${ratio.toFixed(2)} times tar | sha256sum`);
  if (process.argv.includes("--json")) {
    console.log(
      JSON.stringify({ files: FILES, milliseconds: Number(ours.toFixed(1)), ratioToTar: Number(ratio.toFixed(2)) }),
    );
  }
} finally {
  fs.rmSync(folder, { recursive: true });
}
