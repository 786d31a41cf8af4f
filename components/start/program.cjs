// What Pulumi starts: index.ts as a bundle, as its own loader would transpile every file again at every preview.
require("./node-version.cjs");
const { bundleOf } = require("./bundle.cjs");
const { mapOnce } = require("./traces.cjs");

const bundle = bundleOf("index.ts");
if (Error.prepareStackTrace) Error.prepareStackTrace = mapOnce(Error.prepareStackTrace, bundle);
module.exports = require(bundle);
