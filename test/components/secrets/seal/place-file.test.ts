import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  makeFolder,
  moveInto,
  moveIntoEmpty,
  onDisk,
  writeDurably,
} from "../../../../components/secrets/seal/place-file";

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "place-file-"));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

const inFolder = (name: string, content?: string) => {
  const file = path.join(folder, name);
  if (content !== undefined) fs.writeFileSync(file, content);
  return file;
};

describe("a file that cannot be written", () => {
  it.skipIf(!fs.existsSync("/dev/full"))("is named where the disk is full, with what is safe", () => {
    expect(() => writeDurably("/dev/full", "content")).toThrow(
      /^cannot write \/dev\/full, the disk is full: free some space, then run this again \(what was sealed before stands\)$/,
    );
  });

  it("is named where a part of its path is a file", () => {
    const file = inFolder("in-the-way", "");
    expect(() => makeFolder(path.join(file, "deeper"))).toThrow(`cannot write ${file}/deeper, a part of its path`);
  });

  it.each(["EDQUOT", "EROFS", "EACCES", "EPERM"])("is named in words for %s", (code) => {
    const refuse = () => {
      throw Object.assign(new Error(`${code}: no`), { code });
    };
    expect(() => onDisk("FILE", refuse)).toThrow(
      /^cannot write FILE, [^A-Z]+: [^A-Z]+ \(what was sealed before stands\)$/,
    );
  });
});

describe("a file that is moved into its place", () => {
  it("replaces one that is there, or is refused, as it is asked for", () => {
    const place = inFolder("place", "old");
    expect(() => moveIntoEmpty(inFolder("new", "new"), place)).toThrow("EEXIST");
    expect(fs.readFileSync(place, "utf8")).toBe("old");
    moveInto(inFolder("new"), place);
    expect(fs.readFileSync(place, "utf8")).toBe("new");
    moveIntoEmpty(place, inFolder("free"));
    expect(fs.readdirSync(folder).filter((name) => ["place", "new", "free"].includes(name))).toEqual(["free"]);
  });

  const isApart = fs.existsSync("/dev/shm") && fs.statSync("/dev/shm").dev !== fs.statSync(os.tmpdir()).dev;
  describe.skipIf(!isApart)(`from another file system${isApart ? "" : " (skipped: /dev/shm is none)"}`, () => {
    let far: string;
    beforeAll(() => {
      far = fs.mkdtempSync("/dev/shm/place-file-");
    });
    afterAll(() => fs.rmSync(far, { recursive: true }));

    it.each([
      ["replaces what is there", moveInto, "old", "new"],
      ["is placed where nothing is", moveIntoEmpty, undefined, "new"],
      ["is refused where something is", moveIntoEmpty, "old", "old"],
    ])("%s, and leaves nothing beside it", (_, move, before, after) => {
      const own = fs.mkdtempSync(path.join(folder, "own-"));
      const place = path.join(own, "token.sops.json");
      const file = path.join(far, "token.sops.json.1");
      fs.writeFileSync(file, "new");
      if (before !== undefined) fs.writeFileSync(place, before);
      if (after === "old") expect(() => move(file, place)).toThrow("EEXIST");
      else move(file, place);
      expect(fs.readFileSync(place, "utf8")).toBe(after);
      expect(fs.readdirSync(own)).toEqual(["token.sops.json"]);
    });
  });
});
