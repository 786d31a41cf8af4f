// Bundles one TypeScript program of this repository into .cache/ (esbuild, packages left external), and does so again
// when a source file it was made of has changed. There is no build step to forget, and nothing to transpile at every
// start: a second for Pulumi's own loader.
const { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } = require("node:fs");
const path = require("node:path");

const root = path.join(__dirname, "..", "..");

/** Size and modification time of a source file: what a bundle is compared by. */
function stamp(file) {
  const { size, mtimeMs } = statSync(path.join(root, file));
  return `${size}:${mtimeMs}`;
}

function isCurrent(bundle, stamps) {
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

function build(source, bundle, stamps) {
  const { buildSync } = require("esbuild");
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
  const made = Object.keys(metafile.inputs).map((file) => [file, stamp(file)]);
  replaceFile(stamps, JSON.stringify(Object.fromEntries(made)));
}

/** What a program is called in the package that `npm pack` makes. */
const shippedName = (entry) => `${entry.replaceAll("/", "-")}.cjs`;
exports.shippedName = shippedName;

/** The bundle that came with the package; undefined in a checkout, which has the sources. */
exports.shippedBundle = function shippedBundle(entry) {
  const shipped = path.join(root, "dist", "programs", shippedName(entry));
  return !existsSync(path.join(root, entry)) && existsSync(shipped) ? shipped : undefined;
};

/** The bundle of a program, made again if need be: its path. `entry` is relative to the project. */
exports.bundleOf = function bundleOf(entry) {
  const source = path.resolve(root, entry);
  const bundle = path.join(root, ".cache", "run", `${path.relative(root, source).replaceAll(path.sep, "-")}.cjs`);
  const stamps = `${bundle}.json`;
  if (!isCurrent(bundle, stamps)) build(source, bundle, stamps);
  return bundle;
};
