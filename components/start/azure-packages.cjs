// Azure's clients are 400 small files, and Node finds and reads them one by one: 0.15 s of each program that logs in. Here
// they are made one file, once for each `npm ci`, which lies in node_modules/.cache and goes with node_modules.
const { realpathSync } = require("node:fs");
const path = require("node:path");
const { digestOf, isCurrent, keep, ownFolder } = require("./cached-file.cjs");
const { requireCompiled } = require("./compiled.cjs");

const root = path.join(__dirname, "..", "..");
const names = ["core-auth", "core-rest-pipeline", "identity", "storage-blob", "storage-common"].map(
  (name) => `@azure/${name}`,
);
/** npm writes the first one at each installation: what was installed. */
const sources = ["node_modules/.package-lock.json", "components/start/azure-packages.cjs"];

/** A `require` that takes these packages from the one file; as ever where that cannot be made, or another tool installs. */
exports.withAzurePackages = function withAzurePackages(require) {
  const first = (name) => (names.includes(name) ? (load()[name]?.() ?? require(name)) : require(name));
  return Object.assign(first, require); // resolve, cache
};

let loaded;
function load() {
  loaded ??= made();
  return loaded;
}

function made() {
  try {
    const file = path.join(realpathSync(path.join(root, "node_modules")), ".cache", "sealed-onion", "azure.cjs");
    if (!isCurrent(file)) make(file);
    return requireCompiled(file);
  } catch {
    return {}; // read-only, full, or not npm's: each package is loaded from its own files
  }
}

/** It takes half a second: not for nothing at each start. */
function make(file) {
  const digest = digestOf(sources);
  ownFolder(path.dirname(file));
  keep(file, build(), sources, digest);
}

function build() {
  const exportsOf = names.map((name) => `exports["${name}"] = () => require("${name}");`);
  const { outputFiles } = require("esbuild").buildSync({
    stdin: { contents: exportsOf.join("\n"), resolveDir: root },
    bundle: true,
    write: false,
    platform: "node",
    target: "node20",
    format: "cjs",
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: "silent",
  });
  return outputFiles[0].contents;
}
