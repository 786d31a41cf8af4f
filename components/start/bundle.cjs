// Bundles one TypeScript program of this repository into .cache/ (esbuild, packages left external), and does so again
// when what it was made of has changed. There is no build step to forget, and nothing to transpile at every
// start: a second for Pulumi's own loader.
const { createHash } = require("node:crypto");
const {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} = require("node:fs");
const path = require("node:path");

const root = path.join(__dirname, "..", "..");
/** A file that is saved while a bundle is made may be in it or not. Its clock may lag by a tick of the kernel. */
const clockTickMs = 20;

/** By contents: a file's size and time may be the same after a change. */
function digestOf(files) {
  const hash = createHash("sha256");
  for (const file of files) {
    const content = readFileSync(path.join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

/** What only this user, or root, can have made, and is made of what the sources say now. */
function isCurrent(bundle, made) {
  try {
    const { mode, uid } = statSync(bundle);
    const isOurs = (mode & 0o022) === 0 && [process.getuid?.() ?? uid, 0].includes(uid);
    const { files, digest } = JSON.parse(readFileSync(made, "utf8"));
    return isOurs && digest === digestOf(files);
  } catch {
    return false; // no bundle yet, or one of its sources is gone
  }
}

/** Written beside and renamed: programs that start at the same time never see half a bundle. */
function replaceFile(file, content) {
  const temporary = `${file}.${process.pid}`;
  try {
    rmSync(temporary, { force: true });
    writeFileSync(temporary, content, { mode: 0o644, flag: "wx" });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** A folder of ours that others could write to would let them replace what is run next. */
function ownFolder(folder) {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const { mode, uid } = statSync(folder);
  if ((mode & 0o022) !== 0 && uid === process.getuid?.()) chmodSync(folder, mode & 0o755);
}

function build(source, bundle, made) {
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
      sourcemap: "inline",
      logLevel: "silent",
    });
    const files = [...Object.keys(metafile.inputs), path.relative(root, __filename)];
    const digest = digestOf(files);
    const isSettled = files.every((file) => statSync(path.join(root, file)).ctimeMs < started);
    if (!isSettled && tries < 5) continue;
    replaceFile(bundle, outputFiles[0].contents);
    // Where files come from the future (another machine's clock), it is made again at each start.
    replaceFile(made, JSON.stringify({ digest: isSettled ? digest : "", files }));
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
  const made = `${bundle}.json`;
  if (isCurrent(bundle, made)) return bundle;
  try {
    ownFolder(folder);
    build(source, bundle, made);
    return bundle;
  } catch (error) {
    const reason = refusals[error.code];
    throw reason ? new Error(`cannot write ${folder}, ${reason}, then run this again (nothing was changed)`) : error;
  }
};
