import * as fs from "node:fs";
import * as path from "node:path";
import { LeakSearch } from "../../leaks";
import type { Stage } from "../stage";
import type { Story } from "./story";

/** Where plaintext belongs: the opened secrets, and tor's own copy of its key. */
const BELONGS = ["/run/secrets.d", "/run/tor/onion"];
const MEMORY = ["/run", "/tmp", "/dev/shm", "/var/tmp"];

/** Every plaintext is in memory where it belongs, and nowhere in the machine's other memory, journal or disk. */
export const nowhere: Story = {
  name: "no plaintext in the machine's journal, disk and memory file systems",
  async tell(stage) {
    const plaintexts = [...stage.plaintexts, ...(await onionKey(stage))];
    const search = new LeakSearch(plaintexts);
    const root = `/proc/${stage.machine.leader()}/root`;
    for (const folder of MEMORY) searchBelow(search, root, folder);
    search.searchBytes("the journal", Buffer.from(await stage.machine.run("journalctl", ["--output=export"])));
    search.searchBytes("the console", Buffer.from(stage.console.lines.join("\n")));
    await stage.machine.run("sync");
    search.searchFile(stage.machine.disk);
    const found = search.leaks.map(({ plaintext, form, where }) => `${plaintext} in ${form}: ${where}`);
    if (found.length > 0) throw new Error(`plaintext was found:\n    ${found.join("\n    ")}`);
    const control = new LeakSearch(plaintexts);
    searchBelow(control, root, "/run/secrets.d/", []);
    if (control.leaks.length === 0) throw new Error("the search finds nothing where the opened secrets are");
  },
};

async function onionKey({ machine, facts }: Stage) {
  const name = Object.values(facts.services)[0]?.secret ?? "";
  const bytes = Buffer.from((await machine.run("base64", [`/run/secrets/${name}`])).trim(), "base64").subarray(-64);
  return [
    { name, bytes },
    { name: `${name}'s scalar`, bytes: bytes.subarray(0, 32) },
  ];
}

function searchBelow(search: LeakSearch, root: string, folder: string, left = BELONGS): void {
  if (left.includes(folder)) return;
  for (const entry of fs.readdirSync(path.join(root, folder), { withFileTypes: true })) {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) searchBelow(search, root, name, left);
    else if (entry.isFile()) search.searchFile(path.join(root, name));
  }
}
