import * as fs from "node:fs";
import * as path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { updateReport } from "./update-text";

const affected = (name: string, ...ids: string[]) => ({ name, pname: name, affected_by: ids });
const closures = "linux: \u001b[32m6.18.1 → 6.18.3\u001b[0m, +12.0 KiB\ntor: 0.4.9.11 → 0.4.9.12\n";

describe("the pull request with newer packages", () => {
  it("says which known vulnerabilities go and come, and each package's versions", () => {
    const before = JSON.stringify([
      affected("tor-0.4.9.11", "CVE-2026-2", "CVE-2026-1"),
      affected("curl-8", "CVE-2025-9"),
    ]);
    const after = JSON.stringify([affected("curl-8", "CVE-2025-9"), affected("jq-2", "CVE-2026-7")]);
    const text = updateReport({ closures, before, after });
    expect(text).toContain(
      "- mended: CVE-2026-1 (tor-0.4.9.11), CVE-2026-2 (tor-0.4.9.11)\n- new: CVE-2026-7 (jq-2)\n- as before: 1\n",
    );
    expect(text).toContain("### Packages (2)\n\n```\nlinux: 6.18.1 → 6.18.3, +12.0 KiB\ntor: 0.4.9.11 → 0.4.9.12\n```");
  });

  it("claims nothing where the vulnerabilities could not be looked up", () => {
    expect(updateReport({ closures, before: "[]", after: "" })).toContain("not known: vulnix failed");
  });

  it("says that nothing changes, and fits into a pull request", () => {
    expect(updateReport({ closures: "\n", before: "[]", after: "[]" })).toMatch(
      /- mended: none\n- new: none\n.*no package changes$/s,
    );
    const many = Array.from({ length: 5_000 }, (_, index) => `package-${index}: 1 → 2`).join("\n");
    const text = updateReport({ closures: many, before: "[]", after: "[]" });
    expect(text).toContain("… and 4700 more");
    expect(text.length).toBeLessThan(65_536);
  });
});

describe("the workflow that proposes them", () => {
  const workflow = parse(fs.readFileSync(path.join(".github", "workflows", "update.yml"), "utf8"));

  it("gives no right to write to the job that runs what it has downloaded", () => {
    expect(workflow.permissions).toEqual({ contents: "read" });
    expect(workflow.jobs.try.permissions).toBeUndefined();
    const [checkout] = workflow.jobs.try.steps;
    expect(checkout.with).toEqual({ "persist-credentials": false });
    const commands: string[] = workflow.jobs.propose.steps.map(({ run = "" }) => run);
    expect(commands.join("\n")).not.toMatch(/\b(nix|npm|node) (build|run|flake|ci|components)/);
  });
});
