// Runs one TypeScript program of this repository: `node run.mjs commands/seal.ts [arguments]`.
//
// Pulumi starts one such program a secret, so its start-up counts: a bundle (esbuild, packages left external) is
// kept in .cache/ and made again when a source file it was made of has changed. There is no build step to forget.
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(fileURLToPath(import.meta.url));
const [entry, ...programArguments] = process.argv.slice(2);
if (!entry) {
  console.error("which program? type: node run.mjs commands/seal.ts [arguments]");
  process.exit(2);
}
const source = path.resolve(root, entry);
const bundle = path.join(root, ".cache", "run", `${path.relative(root, source).replaceAll(path.sep, "-")}.cjs`);
const stamps = `${bundle}.json`;

/** Size and modification time of a source file: what a bundle is compared by. */
function stamp(file) {
  const { size, mtimeMs } = statSync(path.join(root, file));
  return `${size}:${mtimeMs}`;
}

function isCurrent() {
  try {
    statSync(bundle);
    return Object.entries(JSON.parse(readFileSync(stamps, "utf8"))).every(([file, was]) => stamp(file) === was);
  } catch {
    return false; // no bundle yet, or one of its sources is gone
  }
}

/** Written beside and renamed: programs that start at the same time never see half a bundle. */
function replaceFile(file, content) {
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, content);
  renameSync(temporary, file);
}

if (!isCurrent()) {
  const { buildSync } = await import("esbuild");
  const { metafile, outputFiles } = buildSync({
    absWorkingDir: root,
    entryPoints: [source],
    outfile: bundle,
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    packages: "external",
    sourcemap: "inline",
    logLevel: "error",
  });
  mkdirSync(path.dirname(bundle), { recursive: true });
  replaceFile(bundle, outputFiles[0].contents);
  replaceFile(stamps, JSON.stringify(Object.fromEntries(Object.keys(metafile.inputs).map((file) => [file, stamp(file)]))));
}
process.argv = [process.argv[0], source, ...programArguments];
createRequire(import.meta.url)(bundle);
