import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROGRAM_FILES } from "../workspace";
import { skippedFor } from "./tools";

const skipped = skippedFor("pulumi");

describe.skipIf(skipped)(`pulumi new, with this repository as its template${skipped}`, () => {
  let folder: string;
  beforeAll(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "template-"));
    for (const name of PROGRAM_FILES) fs.cpSync(name, path.join(folder, "template", name), { recursive: true });
    fs.mkdirSync(path.join(folder, "state"));
  });
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  // What Pulumi offers is the folder's name.
  it.each(["sealed-onion", "my-shop"])("makes a project called %s that Pulumi takes", (name) => {
    const project = path.join(folder, name);
    fs.mkdirSync(project);
    const pulumi = (...words: string[]) =>
      spawnSync("pulumi", words, {
        cwd: project,
        encoding: "utf8",
        env: {
          ...process.env,
          HOME: folder,
          PULUMI_BACKEND_URL: `file://${path.join(folder, "state")}`,
          PULUMI_CONFIG_PASSPHRASE: "a passphrase",
          PULUMI_SKIP_UPDATE_CHECK: "true",
        },
      });
    const made = pulumi("new", path.join(folder, "template"), "--name", name, "--yes", "--generate-only");
    expect(made).toMatchObject({ status: 0, stdout: expect.stringContaining(`Created project '${name}'`) });
    expect(fs.existsSync(path.join(project, "nix", "flake.nix"))).toBe(true);
    expect(pulumi("stack", "init", "dev")).toMatchObject({ status: 0 });
    const set = pulumi("config", "set", "sealed-onion:vmSize", "Standard_B2ms");
    expect(set).toMatchObject({ status: 0, stderr: "" });
    expect(pulumi("config", "get", "sealed-onion:vmSize").stdout.trim()).toBe("Standard_B2ms");
  });
});
