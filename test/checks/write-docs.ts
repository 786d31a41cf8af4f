import * as fs from "node:fs";
import { generatedSections, withSection } from "./docs";
import { pictures } from "./pictures";

/** Brings the generated parts of the documents up to date. */
async function writeDocs(): Promise<void> {
  for (const [file, name, text] of await generatedSections()) {
    fs.writeFileSync(file, withSection(fs.readFileSync(file, "utf8"), name, text));
  }
  for (const [file, svg] of pictures()) fs.writeFileSync(file, svg);
}

void writeDocs();
