import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { factsText } from "../../../components/stack/facts";
import { FLEET_TEXTS, GOLDEN_TEXTS } from "../../rehearsal/booted/golden";
import { bootedDials, fleetDials, goldenFacts, placeholderFile, replacements } from "../../rehearsal/booted/stack";
import { bootedDifferences, goldenRelease, writeBooted } from "./booted";
import { type BootedAbout, bootedTexts, plainPath } from "./booted-texts";
import { parseDerivation, readDerivations } from "./derivations";

const hash = (letter: string) => letter.repeat(32);
const inStore = (letter: string, name: string) => `/nix/store/${hash(letter)}-${name}`;

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "booted-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

describe("a derivation", () => {
  const text = `Derive([("out","${inStore("a", "torrc")}","","")],[],[],"x86_64-linux","/bin/sh",["-c"],[("name","torrc"),("out","${inStore("a", "torrc")}"),("text","say (\\"x\\")\\n")])`;

  it("is read with brackets, quotes and line ends as they are", () => {
    expect(parseDerivation(text)).toEqual({ name: "torrc", out: inStore("a", "torrc"), text: 'say ("x")\n' });
  });

  it("is found by its output", () => {
    fs.writeFileSync(path.join(folder, "x.drv"), text);
    fs.writeFileSync(path.join(folder, "torrc"), "built");
    const derivation = readDerivations(folder);
    expect(derivation(inStore("a", "torrc"))?.name).toBe("torrc");
    expect(derivation(inStore("b", "torrc"))).toBeUndefined();
  });
});

describe("a store path", () => {
  it.each([
    ["tor-0.4.9.11", "tor"],
    ["curl-8.20.0-bin", "curl-bin"],
    ["bash-5.3p9", "bash"],
    ["unit-50-azure.network", "unit-50-azure.network"],
    ["onion.sops.json", "onion.sops.json"],
  ])("of %s is told without hash and version", (name, plain) => {
    expect(plainPath(inStore("a", name))).toBe(`/nix/store/${plain}`);
  });
});

describe("the texts of a machine", () => {
  const about = (text: string, files = {}): BootedAbout => ({
    release: "26.05",
    units: { "a.service": { text, wantedBy: [], requiredBy: [], overrideStrategy: "asDropinIfExists" } },
    networks: {},
    files,
    users: {},
  });

  it("are those of its units and of all files that they lead to, programs by name", () => {
    const script = `#!${inStore("c", "bash-5.3")}/bin/bash\ncat ${inStore("d", "b.conf")}\n`;
    const made = new Map([
      [inStore("b", "a-start"), { text: script, destination: "/bin/a-start" }],
      [inStore("d", "b.conf"), { text: "x 1\n" }],
    ]);
    const texts = bootedTexts(about(`ExecStart=${inStore("b", "a-start")}/bin/a-start\n`), (path) => made.get(path));
    expect(Object.fromEntries(texts)).toEqual({
      "units/a.service": "ExecStart=/nix/store/a-start/bin/a-start\n",
      "store/a-start/bin/a-start": "#!/nix/store/bash/bin/bash\ncat /nix/store/b.conf\n",
      "store/b.conf": "x 1\n",
    });
  });

  it("have one line for a script of ours", () => {
    const own = fs.readFileSync("nix/scripts/explain-tor.sh", "utf8");
    const texts = bootedTexts(about(`set -e\n${own}\n`), () => undefined);
    expect(texts.get("units/a.service")).toBe("set -e\n@nix/scripts/explain-tor.sh@\n\n");
  });

  it("refuse two different files of one name", () => {
    const text = `A=${inStore("b", "rules")}\nB=${inStore("c", "rules")}\n`;
    const made = (path: string) => ({ text: path });
    expect(() => bootedTexts(about(text), made)).toThrow("two files of the booted machine are called store/rules");
  });

  it("are told where they differ, are missing, or are no longer made", () => {
    const texts = new Map([
      ["units/a.service", "a\n"],
      ["about.json", '{"release":"26.05"}'],
    ]);
    writeBooted(texts, folder);
    expect(bootedDifferences(texts, folder)).toEqual([]);
    expect(goldenRelease(folder)).toBe("26.05");
    texts.set("units/a.service", "b\n").set("units/b.service", "");
    texts.delete("about.json");
    const named = ["about.json", "units/a.service", "units/b.service"].map((name) => path.join(folder, name));
    expect(bootedDifferences(texts, folder)).toEqual(named);
  });
});

describe.each([
  ["one machine", GOLDEN_TEXTS, bootedDials],
  ["a replica, where they differ from those", FLEET_TEXTS, fleetDials],
])("the committed texts of %s", (_, texts, dials) => {
  const read = (name: string) => fs.readFileSync(path.join(texts, name), "utf8");
  const all = fs
    .readdirSync(texts, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(texts, path.join(entry.parentPath, entry.name)));

  it("are of the configuration that a rehearsal deploys", async () => {
    expect(read("facts.json")).toBe(factsText(await goldenFacts(dials)));
  });

  it("hold every placeholder, and no path of a machine", async () => {
    const whole = all.map(read).join("");
    const known = replacements(await goldenFacts(dials)).filter(([, value]) => value !== "");
    for (const [placeholder] of known) expect(whole).toContain(placeholder);
    expect(whole).not.toMatch(/\/home\/|\/work\/|\/nix\/store\/[0-9a-z]{32}-/);
  });

  it("have scripts of ours by name, which are there", () => {
    const named = all.flatMap((name) => read(name).match(/^@nix\/.*@$/gm) ?? []);
    expect(named.length).toBeGreaterThan(1);
    for (const line of named) expect(fs.existsSync(line.slice(1, -1))).toBe(true);
  });

  it("name the placeholders' digests for the sealed files", async () => {
    const { secrets } = JSON.parse(read("store/manifest.json"));
    const digests = secrets.map(({ name, sopsFileHash }: Record<string, string>) => [name, sopsFileHash]);
    const names = Object.keys((await goldenFacts(dials)).secrets);
    const digestOf = (name: string) => createHash("sha256").update(placeholderFile(name)).digest("hex");
    expect(Object.fromEntries(digests)).toEqual(Object.fromEntries(names.map((name) => [name, digestOf(name)])));
  });
});
