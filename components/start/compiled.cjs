// V8's compiled code of a kept file, beside it: half of what it takes to load Azure's packages is to compile them. Node has
// `module.enableCompileCache` for this from 22.1 on.
const { createHash } = require("node:crypto");
const { readFileSync, statSync } = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const vm = require("node:vm");
const { isOurs, replaceFile } = require("./cached-file.cjs");

/** SHA-256 of what it was compiled of and of itself: V8 compares its own version, and of the source only the length. */
const keyOf = (digest, code) => createHash("sha256").update(digest).update(code).digest();
const keyLength = 32;

/** `require` of a file that `keep` wrote, once a process. @param file its absolute path */
exports.requireCompiled = function requireCompiled(file) {
  const { digest } = JSON.parse(readFileSync(`${file}.json`, "utf8"));
  const cachedData = codeOf(file, digest);
  const script = new vm.Script(Module.wrap(readFileSync(file, "utf8")), {
    filename: file,
    cachedData,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  // At the end, as V8 compiles a function when it is first called.
  if (!cachedData || script.cachedDataRejected) process.once("exit", () => keepCode(file, digest, script));
  return run(file, script);
};

function run(file, script) {
  const made = new Module(file, module);
  const from = Module.createRequire(file);
  script.runInThisContext().call(made.exports, made.exports, from, made, file, path.dirname(file));
  return made.exports;
}

const codeFile = (file) => `${file}.v8`;

function codeOf(file, digest) {
  try {
    const content = readFileSync(codeFile(file));
    const code = content.subarray(keyLength);
    const isWhole = keyOf(digest, code).equals(content.subarray(0, keyLength));
    return isWhole && isOurs(statSync(codeFile(file))) ? code : undefined;
  } catch {
    return undefined; // there is none yet
  }
}

function keepCode(file, digest, script) {
  try {
    const code = script.createCachedData();
    replaceFile(codeFile(file), Buffer.concat([keyOf(digest, code), code]));
  } catch {} // read-only, or full: the next start compiles again
}
