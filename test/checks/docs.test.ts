import * as fs from "node:fs";
import * as path from "node:path";
import { describe, expect, it } from "vitest";
import { generatedSections, withSection } from "./docs";

it("the documents show the dials and the resource graph as they are (else type npm run format)", async () => {
  const sections = await generatedSections();
  expect(sections.map(([file]) => file)).toEqual(["README.md", "README.md", "components/README.md"]);
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

describe("components/doctor/failures.md", () => {
  const read = (folder: string): string =>
    fs
      .readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => fs.readFileSync(path.join(folder, name), "utf8"))
      .join("\n");
  const source = read("components");
  const [, section = ""] = fs
    .readFileSync("components/doctor/failures.md", "utf8")
    .split("## While building and uploading");
  const [rows = ""] = section.split("\n## ");
  const messages = rows.split("\n").flatMap((row) => row.split("|")[1]?.match(/`[^`]+`/g) ?? []);
  const ours = messages.map((message) => message.slice(1, -1)).filter((message) => !message.startsWith("503"));

  it.each(ours)("shows what is printed while an image is built and uploaded: %s", (message) => {
    const pieces = message.split("…").map((piece) => piece.trim());
    for (const piece of pieces) expect(source.replaceAll("`", "")).toContain(piece);
  });
});
