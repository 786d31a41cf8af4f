// Which room may import which (https://github.com/sverweij/dependency-cruiser): arrows go one way.
const notFrom = (name, from, to, comment) => ({ name, comment, severity: "error", from: { path: from }, to });

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    notFrom("no-circle", "", { circular: true }, "two files that need each other are one, or share a third"),
    {
      name: "rooms-one-way",
      comment: "no two rooms import each other, not by way of a third either",
      scope: "folder",
      severity: "error",
      from: { path: "^components/[^/]+$" },
      to: { path: "^components/[^/]+$", circular: true },
    },
    notFrom(
      "program-without-tests",
      "^(components/|index\\.ts$)",
      { path: "^test/" },
      "what is deployed needs no test",
    ),
    notFrom(
      "stand-in-alone",
      "^test/azure/",
      { path: "^(components|index\\.ts|test/(?!azure/))" },
      "loopback-azure is of use to people who have never seen this program",
    ),
    notFrom(
      "vanity-apart",
      "^components/(?!onion/)",
      { path: "^components/onion/vanity/(?!vanity\\.ts$)" },
      "one entry",
    ),
    notFrom("found", "", { couldNotResolve: true }, "an import of something that is not there"),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "require", "node", "types"] },
  },
};
