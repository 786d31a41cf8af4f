// Pulumi's SDK loads with its index what a program like this one never calls: the Automation API, TypeScript's compiler
// and npm's resolver (for functions that become cloud functions). That is two thirds of its loading, 0.35 s of each
// preview. Here these three modules are loaded when something is first taken from them; then they are what they ever were.
const Module = require("node:module");

const seldom = ["@pulumi/pulumi/automation/index.js", "@pulumi/pulumi/typescript-shim.js", "@npmcli/arborist"];

/** Before `@pulumi/pulumi` is loaded. A module that another version of the SDK does not have is left alone. */
exports.loadSeldom = function loadSeldom() {
  const index = resolved(require, "@pulumi/pulumi");
  if (index === undefined || require.cache[index]) return;
  const fromSdk = Module.createRequire(index);
  for (const name of seldom) {
    const file = resolved(fromSdk, name);
    if (file !== undefined && !require.cache[file]) putLater(file, fromSdk);
  }
};

function resolved(from, name) {
  try {
    return from.resolve(name);
  } catch {
    return undefined;
  }
}

function putLater(file, fromSdk) {
  let loaded;
  const load = () => {
    if (loaded === undefined) {
      delete require.cache[file];
      loaded = fromSdk(file);
    }
    return loaded;
  };
  const later = new Module(file);
  later.filename = file;
  later.loaded = true;
  later.exports = new Proxy({}, handlers(load));
  require.cache[file] = later;
}

/** TypeScript's `import * as x` takes a module with `__esModule` as it is, and copies all of another at once. */
const handlers = (load) => ({
  get(_, name) {
    if (name === "__esModule") return true;
    return name === "default" && !load().__esModule ? load() : load()[name];
  },
  has: (_, name) => name in load(),
  ownKeys: () => Reflect.ownKeys(load()),
  getOwnPropertyDescriptor(_, name) {
    const found = Reflect.getOwnPropertyDescriptor(load(), name);
    return found && { ...found, configurable: true };
  },
});
