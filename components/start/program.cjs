// What Pulumi starts: index.ts as a bundle, as its own loader would transpile every file again at every preview.
require("./node-version.cjs");
const { bundleOf } = require("./bundle.cjs");
const { loadSeldom } = require("./lazy-sdk.cjs");
const { guardProcess } = require("./process-guard.cjs");
const { mapOnce } = require("./traces.cjs");

guardProcess();
loadSeldom();
const bundle = bundleFor("index.ts");
if (Error.prepareStackTrace) Error.prepareStackTrace = mapOnce(Error.prepareStackTrace, bundle);
module.exports = require(bundle);

/** A bundle that cannot be made is said in one line: Pulumi shows only a RunError without its stack. */
function bundleFor(entry) {
  try {
    return bundleOf(entry);
  } catch (error) {
    const { RunError } = require("@pulumi/pulumi");
    throw new RunError(error.message);
  }
}
