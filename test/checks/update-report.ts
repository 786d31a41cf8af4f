import * as fs from "node:fs";
import * as path from "node:path";
import { readIfThere } from "../../components/process/read-if-there";
import { updateReport } from "./nix/update-text";

/** Prints what a pull request with newer packages says. @see update.yml, which leaves these files in the folder */
function main([folder = "."]: string[]): void {
  const vulnix = (name: string) => readIfThere(path.join(folder, name))?.toString("utf8") ?? "";
  const closures = fs.readFileSync(path.join(folder, "closures.txt"), "utf8");
  console.log(updateReport({ closures, before: vulnix("before.json"), after: vulnix("after.json") }));
}

main(process.argv.slice(2));
