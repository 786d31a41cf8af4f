// What Pulumi starts: index.ts as a bundle, as its own loader would transpile every file anew at every preview.
const { bundleOf } = require("./bundle.cjs");

module.exports = require(bundleOf("index.ts"));
