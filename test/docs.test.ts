import * as fs from "node:fs";
import { expect, it } from "vitest";
import { generatedSections, withSection } from "../checks/docs";

it("the documents show the dials and the resource graph as they are (else type npm run docs)", async () => {
  const sections = await generatedSections();
  expect(sections.map(([file]) => file)).toEqual(["README.md", "docs/architecture.md"]);
  for (const [file, name, text] of sections) {
    const document = fs.readFileSync(file, "utf8");
    expect(document).toBe(withSection(document, name, text));
  }
});

it("a document without the place for a section is an error", () => {
  expect(() => withSection("# empty", "graph", "x")).toThrow(
    "the document has no place <!-- graph --> … <!-- /graph -->",
  );
});
