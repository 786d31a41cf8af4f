import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { type MadeFor, marksIn, outdated } from "../../../../components/image/disk/made-for";
import { stackLine } from "../made-for-line";

const facts = '{"version":1}\n';
const digest = (text: string) => createHash("sha256").update(text).digest("hex");
const sealed = { token: digest("token"), "onion-key": digest("onion") };
const tree = { "flake.nix": "f1", site: "a1" };
const line = stackLine("dev", facts, sealed, tree);
const [mark] = marksIn(Buffer.from(line)) as [MadeFor];
const [{ tree: _, ...older }] = [mark];

describe("the mark on a disk", () => {
  it("is found wherever it lies, as often as it is there", () => {
    const piece = Buffer.concat([Buffer.alloc(5000, "x"), Buffer.from(line), Buffer.alloc(99), Buffer.from(line)]);
    expect(marksIn(piece)).toEqual([mark, mark]);
    expect(mark).toEqual({
      stack: "dev",
      facts: digest(facts),
      secrets: { token: sealed.token.slice(0, 16), "onion-key": sealed["onion-key"].slice(0, 16) },
      tree,
    });
  });

  it.each([
    ["one that is cut", line.slice(0, -5)],
    ["another text that begins so", "sealed-onion-made-for: {is no JSON}\n"],
    ["half of one", 'sealed-onion-made-for: {"stack":"dev"}\n'],
    ["the file that writes it", fs.readFileSync("nix/lib/made-for.nix", "utf8")],
    ["the file that reads it", fs.readFileSync("components/image/disk/made-for.ts", "utf8")],
  ])("is not %s", (_, text) => {
    expect(marksIn(Buffer.from(text))).toEqual([]);
  });
});

describe("a disk", () => {
  it.each<[string, MadeFor[], string, Record<string, string>, string[]]>([
    ["is what is declared", [mark], facts, sealed, []],
    ["says nothing of itself", [], facts, sealed, []],
    ["has an older secret", [mark], facts, { ...sealed, token: digest("new") }, ["an older secret token"]],
    ["lacks a secret", [mark], facts, { ...sealed, more: digest("more") }, ["no secret more"]],
    ["has other services", [mark], "{}", sealed, ["other facts (services, secrets' places, addresses)"]],
    ["is of another stack", [{ ...mark, stack: "prod" }], facts, sealed, ["it is one of stack prod"]],
    ["has two marks, one of them right", [{ ...mark, stack: "prod" }, mark], facts, sealed, []],
    ["takes its secrets from user data", [mark], facts, {}, []],
    ["has another site", [{ ...mark, tree: { ...tree, site: "a0" } }], facts, sealed, ["another nix/site"]],
    ["lacks a module", [{ ...mark, tree: { site: "a1" } }], facts, sealed, ["another nix/flake.nix"]],
    ["has one more", [{ ...mark, tree: { ...tree, hosts: "h1" } }], facts, sealed, ["another nix/hosts"]],
    ["does not say of which nix/ it was made", [older], facts, sealed, []],
  ])("%s", (_, marks, declared, digests, expected) => {
    expect(outdated(marks, "dev", { facts: declared, sealed: digests, tree })).toEqual(expected);
  });
});
