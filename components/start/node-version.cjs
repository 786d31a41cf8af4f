// The first thing that any program here loads: a Node that is too old says so in one line, whatever was asked.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  const ask = "22 is what Pulumi's SDK asks for, 20.19 the least that works";
  console.error(
    `Node ${process.versions.node} is too old, ${ask}: type nvm install 22, or see https://nodejs.org/download`,
  );
  process.exit(1);
}
