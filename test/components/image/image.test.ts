import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type ImageInputs,
  imageDigest,
  imageNames,
  isImageBlobOf,
  nixTreeDigest,
} from "../../../components/image/image";

const inputs: ImageInputs = { builder: "nix", facts: "{}", nixDigest: "aa", sealed: { site: "11", api: "22" } };

describe("imageDigest", () => {
  it("is the same for the same inputs, whatever the order of the sealed secrets", () => {
    expect(imageDigest(inputs)).toMatch(/^[0-9a-f]{64}$/);
    expect(imageDigest({ ...inputs, sealed: { api: "22", site: "11" } })).toBe(imageDigest(inputs));
  });

  it.each([
    ["builder", { builder: '["make","image"]' }],
    ["facts", { facts: "{ }" }],
    ["tree", { nixDigest: "ab" }],
    ["sealed file", { sealed: { site: "11", api: "23" } }],
    ["set of sealed files", { sealed: { site: "11" } }],
    ["border between a name and a digest", { sealed: { site: "11", a: "pi22" } }],
  ])("changes with the %s", (_what, change) => {
    expect(imageDigest({ ...inputs, ...change })).not.toBe(imageDigest(inputs));
  });

  it("is the file's digest for a disk that was built elsewhere, which does not depend on the tree", () => {
    expect(imageDigest({ ...inputs, builder: "vhd:disk.vhd", vhdDigest: "cafe" })).toBe("cafe");
    expect(() => imageDigest({ ...inputs, builder: "vhd:disk.vhd" })).toThrow("the digest of 'disk.vhd' is needed");
  });
});

describe("imageNames", () => {
  const digest = "0123456789abcdef".repeat(4);

  it("names blob and image by stack and digest", () => {
    const name = "dev-0123456789abcdef0123456789abcdef";
    expect(imageNames("dev", digest)).toEqual({ blob: `${name}.vhd`, image: name });
  });

  it("keeps an image's name within Azure's 80 characters", () => {
    expect(imageNames("s".repeat(90), digest).image).toHaveLength(80);
  });

  it("knows a stack's blobs from those of a stack whose name starts alike", () => {
    expect(isImageBlobOf("dev", imageNames("dev", digest).blob)).toBe(true);
    expect(isImageBlobOf("dev", imageNames("dev-eu", digest).blob)).toBe(false);
    expect(isImageBlobOf("dev", "dev-backup.vhd")).toBe(false);
  });
});

describe("nixTreeDigest", () => {
  let directory: string;
  const write = (name: string, content: string): void => {
    fs.mkdirSync(path.dirname(path.join(directory, name)), { recursive: true });
    fs.writeFileSync(path.join(directory, name), content);
  };
  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), "nix-tree-"));
    write("flake.nix", "{ }");
    write("modules/tor.nix", "1");
  });
  afterEach(() => fs.rmSync(directory, { recursive: true }));

  it.each([
    ["a file's content", () => write("modules/tor.nix", "2")],
    ["a new file", () => write("modules/vault.nix", "1")],
    ["a file's name", () => fs.renameSync(path.join(directory, "flake.nix"), path.join(directory, "flake2.nix"))],
    ["an executable bit", () => fs.chmodSync(path.join(directory, "flake.nix"), 0o755)],
    ["a link", () => fs.symlinkSync("flake.nix", path.join(directory, "link.nix"))],
    ["a README that is part of the site", () => write("site/README.md", "served")],
    ["a hidden file that is part of the site", () => write("site/.well-known/security.txt", "served")],
    ["a page that is called a result", () => write("site/result", "served")],
  ])("changes with %s", (_what, change) => {
    const before = nixTreeDigest(directory);
    change();
    expect(nixTreeDigest(directory)).not.toBe(before);
  });

  it.each(["README.md", "README", "tests/tor.nix", "stacks/dev/facts.json"])("does not change with %s", (name) => {
    const before = nixTreeDigest(directory);
    write(name, "anything");
    expect(nixTreeDigest(directory)).toBe(before);
  });

  it.each([
    [".DS_Store", "site/.DS_Store", "site/._index.html"],
    [".direnv/flake-profile", ".envrc", ".git/HEAD", ".idea/nix.iml", "modules/.cache/eval"],
    ["flake.nix~", "modules/tor.nix~", "modules/#tor.nix#", "site/.index.html.swp", "site/Thumbs.db"],
  ])("does not change with what systems and tools leave: %s", (...names) => {
    const before = nixTreeDigest(directory);
    for (const name of names) write(name, "anything");
    expect(nixTreeDigest(directory)).toBe(before);
  });

  it("does not change with an editor's lock, or the link to a result: both lead nowhere or elsewhere", () => {
    const before = nixTreeDigest(directory);
    fs.symlinkSync("user@host.1234:5678", path.join(directory, "modules/.#tor.nix"));
    fs.symlinkSync("/nix/store/aaaa-nixos", path.join(directory, "modules/result-1"));
    fs.symlinkSync("/nix/store/aaaa-nixos", path.join(directory, "result"));
    expect(nixTreeDigest(directory)).toBe(before);
  });

  it("is the same in another place, and does not depend on the files' times", () => {
    const before = nixTreeDigest(directory);
    const moved = `${directory}-moved`;
    fs.cpSync(directory, moved, { recursive: true });
    expect(nixTreeDigest(moved)).toBe(before);
    fs.rmSync(moved, { recursive: true });
  });

  it("refuses what can be no part of a tree", () => {
    const read = (): string => nixTreeDigest(path.join(directory, "nowhere"));
    expect(read).toThrow("ENOENT");
  });
});
