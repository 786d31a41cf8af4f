import * as fs from "node:fs";
import * as path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { generatedSections, withSection } from "./docs";
import { pictures } from "./pictures";

it("Pulumi takes the project's file under any name: no key of another namespace than the project's has a type there", () => {
  const { config = {}, name } = parse(fs.readFileSync("Pulumi.yaml", "utf8")) as { config?: object; name: string };
  expect(name).toBe("sealed-onion");
  expect(Object.keys(config)).toEqual([]);
});

it("the documents show the dials and the resource graph as they are (else type npm run format)", async () => {
  const sections = await generatedSections();
  expect(sections.map(([file]) => file)).toEqual(["README.md", "components/doctor/README.md", "components/README.md"]);
  for (const [file, name, text] of sections) {
    const document = fs.readFileSync(file, "utf8");
    expect(document).toBe(withSection(document, name, text));
  }
});

it.each(pictures())("the picture %s shows what is printed (else type npm run format)", (file, svg) => {
  expect(fs.readFileSync(file, "utf8")).toBe(svg);
});

it("the pictured rehearsal has the steps that a rehearsal has", () => {
  const source = ["rehearsal", "denials", "start-parts"].map((name) =>
    fs.readFileSync(`test/rehearsal/${name}.ts`, "utf8"),
  );
  const steps = fs.readFileSync(".github/pictures/rehearsal.txt", "utf8").matchAll(/^✓ (.+?) {2,}/gm);
  for (const [, step = ""] of steps) expect(source.join("\n")).toContain(step);
});

it("a document without the place for a section is an error", () => {
  expect(() => withSection("# empty", "graph", "x")).toThrow(
    "the document has no place <!-- graph --> … <!-- /graph -->",
  );
});

describe("components/doctor/failures.md", () => {
  const read = (folder: string, ending: string): string =>
    fs
      .readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(ending))
      .map((name) => fs.readFileSync(path.join(folder, name), "utf8"))
      .join("\n")
      .replaceAll("`", "");
  const document = fs.readFileSync("components/doctor/failures.md", "utf8");

  /** The messages in the first column of a section's tables. */
  function messagesOf(title: string): string[] {
    const [, section = ""] = document.split(`## ${title}\n`);
    const [rows = ""] = section.split("\n## ");
    const messages = rows.split("\n").flatMap((row) => row.split("|")[1]?.match(/`[^`]+`/g) ?? []);
    return messages.map((message) => message.slice(1, -1));
  }
  const pieces = (message: string) => message.split("…").map((piece) => piece.trim());

  const ours = messagesOf("While building and uploading").filter((message) => !message.startsWith("503"));
  it.each(ours)("shows what is printed while an image is built and uploaded: %s", (message) => {
    const source = read("components", ".ts");
    for (const piece of pieces(message)) expect(source).toContain(piece);
  });

  const azures = ["OSProvisioningTimedOut"];
  const guests = messagesOf("On the VM").filter((message) => !azures.includes(message));
  it.each(guests)("shows what the guest says: %s", (message) => {
    const source = read("nix/scripts", ".sh");
    // Each line begins with this; what follows a colon may be put behind it elsewhere; the addresses come from tor.
    const own = message.replace(/^sealed-onion: /, "").replace(/\.onion$/, "");
    for (const piece of pieces(own)) expect(source).toContain(piece.replace(/:$/, ""));
  });
});
