import * as fs from "node:fs";
import { runMain } from "../../components/process/run-main";
import { RECORDING_FILE, readEntries } from "../rehearsal/recording/entries";
import { replay } from "../rehearsal/recording/replay";

/**
 * `npm run check:recorded [-- FILE]`: asks the stand-in for Azure what a live rehearsal asked Azure itself, and lists what it
 * answers otherwise. Exit code 1 where there is something.
 */
async function main(): Promise<void> {
  const [file = RECORDING_FILE] = process.argv.slice(2);
  if (!fs.existsSync(file)) {
    console.log(`skipped: there is no ${file}: npm run rehearse -- --live writes it, live.yml keeps it as an artifact`);
    return;
  }
  const entries = readEntries(fs.readFileSync(file, "utf8"));
  const found = await replay(entries);
  for (const { what, lines } of found) console.log([what, ...lines.map((line) => `  ${line}`)].join("\n"));
  const asked = entries.filter(({ kind }) => kind !== "about").length;
  console.log(`${asked} recorded requests and resources, ${found.length} that loopback-azure answers otherwise`);
  process.exitCode = found.length > 0 ? 1 : 0;
}

runMain(main);
