import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readTree, treeParts } from "../../../components/image/guest-tree";

describe("a tree's digest", () => {
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
    const before = readTree(directory).digest;
    change();
    expect(readTree(directory).digest).not.toBe(before);
  });

  it.each(["README.md", "README", "tests/tor.nix", "stacks/dev/facts.json"])("does not change with %s", (name) => {
    const before = readTree(directory).digest;
    write(name, "anything");
    expect(readTree(directory).digest).toBe(before);
  });

  it.each([
    [".DS_Store", "site/.DS_Store", "site/._index.html"],
    [".direnv/flake-profile", ".envrc", ".git/HEAD", ".idea/nix.iml", "modules/.cache/eval"],
    ["flake.nix~", "modules/tor.nix~", "modules/#tor.nix#", "site/.index.html.swp", "site/Thumbs.db"],
  ])("does not change with what systems and tools leave: %s", (...names) => {
    const before = readTree(directory).digest;
    for (const name of names) write(name, "anything");
    expect(readTree(directory).digest).toBe(before);
  });

  it("does not change with an editor's lock, or the link to a result: both lead nowhere or elsewhere", () => {
    const before = readTree(directory).digest;
    fs.symlinkSync("user@host.1234:5678", path.join(directory, "modules/.#tor.nix"));
    fs.symlinkSync("/nix/store/aaaa-nixos", path.join(directory, "modules/result-1"));
    fs.symlinkSync("/nix/store/aaaa-nixos", path.join(directory, "result"));
    expect(readTree(directory).digest).toBe(before);
  });

  it("is the same in another place, and does not depend on the files' times", () => {
    const before = readTree(directory).digest;
    const moved = `${directory}-moved`;
    fs.cpSync(directory, moved, { recursive: true });
    expect(readTree(moved).digest).toBe(before);
    fs.rmSync(moved, { recursive: true });
  });

  it("refuses what can be no part of a tree", () => {
    const read = (): string => readTree(path.join(directory, "nowhere")).digest;
    expect(read).toThrow("ENOENT");
  });
});

describe("treeParts", () => {
  let directory: string;
  const write = (name: string, content: string): void => {
    fs.mkdirSync(path.dirname(path.join(directory, name)), { recursive: true });
    fs.writeFileSync(path.join(directory, name), content);
  };
  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), "nix-parts-"));
    for (const name of ["nix/flake.nix", "nix/modules/tor.nix", "nix/site/index.html", "guest/site/own.html"])
      write(name, name);
  });
  afterEach(() => fs.rmSync(directory, { recursive: true }));
  const parts = () => treeParts(["nix", "guest"].map((name) => readTree(path.join(directory, name))));

  it("changes for the part alone in which something changed, in a project's overlay too", () => {
    const before = parts();
    expect(Object.keys(before).sort()).toEqual(["flake.nix", "modules", "site"]);
    write("nix/modules/tor.nix", "another");
    expect(parts()).toEqual({ ...before, modules: expect.not.stringMatching(String(before.modules)) });
    write("nix/modules/tor.nix", "nix/modules/tor.nix");
    expect(parts()).toEqual(before);
    write("guest/site/own.html", "another");
    expect(parts()).toEqual({ ...before, site: expect.not.stringMatching(String(before.site)) });
  });

  it("is of what is laid over, not of what lies below", () => {
    write("guest/modules/tor.nix", "own");
    const before = parts();
    write("nix/modules/tor.nix", "another");
    expect(parts()).toEqual(before);
  });
});
