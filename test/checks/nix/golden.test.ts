import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { differences, goldenText, writeGolden } from "./golden";

const hash = "0123456789abcdfghijklmnpqrsvwxyz";

describe("golden files", () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "golden-"));
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  it("hold programs and files without what differs from one nixpkgs to the next", () => {
    const value = {
      program: [`+/nix/store/${hash}-afterburn-5.10.0/bin/afterburn`, "--check-in"],
      sealed: `/nix/store/${hash}-onion.sops.json`,
    };
    expect(JSON.parse(goldenText(value))).toEqual({ program: ["+afterburn", "--check-in"], sealed: "onion.sops.json" });
  });

  it("tell each that is not what the modules produce", () => {
    const golden = { guest: { a: 1 }, "vault-agent": { b: 2 } };
    writeGolden(golden, folder);
    expect(differences(golden, folder)).toEqual([]);
    expect(differences({ ...golden, guest: { a: 2 } }, folder)).toEqual([path.join(folder, "guest.json")]);
    expect(differences({ other: {} }, folder)).toEqual([path.join(folder, "other.json")]);
  });
});

describe("the committed golden files", () => {
  const files = fs.readdirSync("nix/eval/golden");

  it.each(files)("%s names no path of a store or of a machine", (file) => {
    expect(fs.readFileSync(path.join("nix/eval/golden", file), "utf8")).not.toMatch(/\/nix\/store|\/home\/|\/work\//);
  });

  it("name the example's sealed files, with their digests", () => {
    const { manifest } = JSON.parse(fs.readFileSync("nix/eval/golden/guest.json", "utf8"));
    const facts = JSON.parse(fs.readFileSync("nix/eval/stacks/example/facts.json", "utf8"));
    expect(manifest.secrets.map(({ name }: { name: string }) => name)).toEqual(Object.keys(facts.secrets));
  });
});
