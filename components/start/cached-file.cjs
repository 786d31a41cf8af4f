// What is made of sources and kept beside them in a file, until a source says something else.
const { createHash } = require("node:crypto");
const { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } = require("node:fs");
const path = require("node:path");

const root = path.join(__dirname, "..", "..");

/** By contents: a file's size and time may be the same after a change. */
exports.digestOf = function digestOf(files) {
  const hash = createHash("sha256");
  for (const file of files) {
    const content = readFileSync(path.join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
};

/** What only this user, or root, can have made. */
exports.isOurs = ({ mode, uid }) => (mode & 0o022) === 0 && [process.getuid?.() ?? uid, 0].includes(uid);

/** What is ours, and made of what the sources say now. */
exports.isCurrent = function isCurrent(cached) {
  try {
    const { files, digest } = JSON.parse(readFileSync(`${cached}.json`, "utf8"));
    return exports.isOurs(statSync(cached)) && digest === exports.digestOf(files);
  } catch {
    return false; // there is none yet, or one of its sources is gone
  }
};

/** @param files its sources, relative to the project @param digest of them; "" if it is to be made again next time */
exports.keep = function keep(cached, content, files, digest) {
  exports.ownFolder(path.dirname(cached));
  exports.replaceFile(cached, content);
  exports.replaceFile(`${cached}.json`, JSON.stringify({ digest, files }));
};

/** Written beside and renamed: programs that start at the same time never see half a file. */
exports.replaceFile = function replaceFile(file, content) {
  const temporary = `${file}.${process.pid}`;
  try {
    rmSync(temporary, { force: true });
    writeFileSync(temporary, content, { mode: 0o644, flag: "wx" });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
};

/** A folder of ours that others could write to would let them replace what is run next. */
exports.ownFolder = function ownFolder(folder) {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const { mode, uid } = statSync(folder);
  if ((mode & 0o022) !== 0 && uid === process.getuid?.()) chmodSync(folder, mode & 0o755);
};
