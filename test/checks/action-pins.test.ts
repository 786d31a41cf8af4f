import * as fs from "node:fs";
import * as path from "node:path";
import { describe, expect, it } from "vitest";
import { unpinnedActions } from "./action-pins";

const commit = "0123456789abcdef0123456789abcdef01234567";

describe("the actions that a workflow uses", () => {
  it("are pinned by a whole commit, with the tag beside it", () => {
    expect(unpinnedActions(`    steps:\n      - uses: some/action@${commit} # v1.2.3\n`)).toEqual([]);
    expect(unpinnedActions(`      - name: one\n        uses: some/action/part@${commit} # v1.2.3`)).toEqual([]);
  });

  it("are named with their line where a tag, a branch or half a commit is all that they have", () => {
    const workflow = ["- uses: some/action@v5", `  uses: some/action@${commit.slice(0, 12)} # v1.2.3`, "- run: true"];
    expect(unpinnedActions(workflow.join("\n"))).toEqual([
      "1: some/action@v5",
      `2: some/action@${commit.slice(0, 12)} # v1.2.3`,
    ]);
    expect(unpinnedActions(`- uses: some/action@${commit}`)).toEqual([`1: some/action@${commit}`]);
  });

  it("may be the repository's own", () => {
    expect(unpinnedActions("- uses: ./.github/actions/own")).toEqual([]);
  });

  it("are pinned in every workflow of this repository", () => {
    const folder = path.join(".github", "workflows");
    for (const file of fs.readdirSync(folder)) {
      expect(unpinnedActions(fs.readFileSync(path.join(folder, file), "utf8")), file).toEqual([]);
    }
  });
});
