import { describe, expect, it } from "vitest";
import { nearest } from "../../../components/config/nearest";

const WORDS = ["owner", "group", "mode", "restart", "path", "source"];

describe("the nearest word", () => {
  it.each([
    ["onwer", "owner"],
    ["owne", "owner"],
    ["ownerr", "owner"],
    ["Owner", "owner"],
    ["grp", undefined],
    ["mdoe", "mode"],
    ["restrat", "restart"],
    ["sorce", "source"],
    ["colour", undefined],
    ["", undefined],
  ])("to %s is %s", (word, expected) => {
    expect(nearest(word, WORDS)).toBe(expected);
  });

  it("is none where there are no words", () => {
    expect(nearest("owner", [])).toBeUndefined();
  });
});
