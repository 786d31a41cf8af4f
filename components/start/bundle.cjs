// Bundles one TypeScript program of this repository into .cache/ (esbuild, packages left external), and does so again
// when what it was made of has changed. There is no build step to forget, and nothing to transpile at every
// start: a second for Pulumi's own loader.
const { existsSync, statSync } = require("node:fs");
const path = require("node:path");
const { digestOf, isCurrent, keep } = require("./cached-file.cjs");

const root = path.join(__dirname, "..", "..");
/** A file that is saved while a bundle is made may be in it or not. Its clock may lag by a tick of the kernel. */
const clockTickMs = 20;
/** First in each bundle: its folder is two below the project's, wherever that is moved to. */
const banner =
  '"use strict"; require = require("../../components/start/azure-packages.cjs").withAzurePackages(require);';

function build(source, bundle) {
  const { buildSync } = require("esbuild");
  for (let tries = 0; ; tries++) {
    const started = Date.now() - clockTickMs;
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
      banner: { js: banner },
      supported: { "dynamic-import": false }, // by that require, too
      sourcemap: "inline",
      logLevel: "silent",
    });
    const files = [...Object.keys(metafile.inputs), path.relative(root, __filename)];
    const digest = digestOf(files);
    const isSettled = files.every((file) => statSync(path.join(root, file)).ctimeMs < started);
    if (!isSettled && tries < 5) continue;
    // Where files come from the future (another machine's clock), it is made again at each start.
    keep(bundle, outputFiles[0].contents, files, isSettled ? digest : "");
    return;
  }
}

/** What a program is called in the package that `npm pack` makes. */
const shippedName = (entry) => `${entry.replaceAll("/", "-")}.cjs`;
exports.shippedName = shippedName;

/** The bundle that came with the package; undefined in a checkout, which has the sources. */
exports.shippedBundle = function shippedBundle(entry) {
  const shipped = path.join(root, "dist", "programs", shippedName(entry));
  return !existsSync(path.join(root, entry)) && existsSync(shipped) ? shipped : undefined;
};

const refusals = {
  ENOSPC: "the disk is full: free some space",
  EDQUOT: "your quota of the disk is used up: free some space",
  EROFS: "the file system is read-only: mount it for writing",
  EACCES: "permission denied: look at its owner and mode",
  EPERM: "permission denied: look at its owner and mode",
  ENOTDIR: "a part of its path is no folder: move that file away",
};

/** The bundle of a program, made again if need be: its path. `entry` is relative to the project. @throws in words */
exports.bundleOf = function bundleOf(entry) {
  const source = path.resolve(root, entry);
  const folder = path.join(root, ".cache", "run");
  const bundle = path.join(folder, `${path.relative(root, source).replaceAll(path.sep, "-")}.cjs`);
  if (isCurrent(bundle)) return bundle;
  try {
    build(source, bundle);
    return bundle;
  } catch (error) {
    const reason = refusals[error.code];
    throw reason ? new Error(`cannot write ${folder}, ${reason}, then run this again (nothing was changed)`) : error;
  }
};

/** What a file of the project exports. A program has a part of itself loaded so that it seldom needs: see seal.ts. */
exports.load = (entry) => require(exports.shippedBundle(entry) ?? exports.bundleOf(entry));
