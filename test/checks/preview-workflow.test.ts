import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { findOnPath } from "../../components/process/find-program";

interface Step {
  name?: string;
  uses?: string;
  with?: Record<string, unknown>;
  run?: string;
}

const text = fs.readFileSync(path.join(".github", "workflows", "preview.yml"), "utf8");
const workflow = parse(text);
const { preview, comment } = workflow.jobs;
const steps = preview.steps as Step[];

function scriptOf(name: string): string {
  const run = [...steps, ...(comment.steps as Step[])].find((step) => step.name?.startsWith(name))?.run;
  if (run === undefined) throw new Error(`no step ${name} in preview.yml`);
  return run;
}

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "preview-workflow-"));
  fs.mkdirSync(path.join(folder, "bin"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

function writeProgram(name: string, body: string): void {
  fs.writeFileSync(path.join(folder, "bin", name), body, { mode: 0o755 });
}

/** As GitHub runs a step: `bash -e`, with our programs alone on PATH. */
function runStep(script: string, environment: Record<string, string> = {}) {
  const file = path.join(folder, "step.sh");
  fs.writeFileSync(file, script);
  const PATH = path.join(folder, "bin");
  const env = { PATH, RUNNER_TEMP: folder, STACK: "dev", ...environment };
  return promisify(execFile)("/bin/bash", ["-e", file], { env });
}

function link(...programs: string[]): void {
  for (const program of programs)
    fs.symlinkSync(findOnPath(program) ?? program, path.join(folder, "bin", program), "file");
}

describe("preview.yml", () => {
  it("runs what a pull request proposes with no right but to read and to log in by OIDC", () => {
    expect(Object.keys(workflow.on)).toEqual(["pull_request"]);
    expect(workflow.permissions).toEqual({ contents: "read" });
    expect(preview.permissions).toEqual({ contents: "read", "id-token": "write" });
    expect(text).not.toMatch(/secrets\.|password|client-secret|ARM_CLIENT_SECRET/i);
    expect(preview.env.ARM_USE_OIDC).toBe("true");
  });

  it("installs packages without their scripts, and leaves no token and no cache behind", () => {
    const installs = steps.flatMap(({ run }) => run?.match(/npm (ci|install).*/g) ?? []);
    expect(installs).toEqual([expect.stringContaining("--ignore-scripts")]);
    expect(steps[0]?.with).toEqual({ "persist-credentials": false });
    expect(steps.filter((step) => step.with?.cache !== undefined)).toEqual([]);
  });

  it("comments in a job that runs nothing of the pull request, also where the preview failed", () => {
    expect(comment.permissions).toEqual({ "pull-requests": "write" });
    expect(comment.steps).toHaveLength(1);
    expect((comment.steps as Step[]).filter(({ uses }) => uses)).toEqual([]);
    expect(comment.if).toContain("always()");
    expect(comment.if).toContain("needs.preview.result == 'failure'");
  });

  it("gives a fork no cloud login: its types and tests run elsewhere, without rights", () => {
    expect(preview.if).toBe("github.event.pull_request.head.repo.full_name == github.repository");
    const test = parse(fs.readFileSync(path.join(".github", "workflows", "test.yml"), "utf8"));
    expect(Object.keys(test.on)).toContain("pull_request");
    expect(test.permissions).toEqual({ contents: "read" });
    expect(Object.values(test.jobs).filter((job) => (job as { permissions?: unknown }).permissions)).toEqual([]);
  });

  it("sets up Node, Azure's login and Pulumi, and neither Nix nor sops", () => {
    const used = steps.flatMap(({ uses }) => uses?.replace(/@.*/, "") ?? []);
    expect(used).toEqual(["actions/checkout", "actions/setup-node", "azure/login", "pulumi/actions"]);
    expect(steps.flatMap(({ run }) => run ?? []).join("\n")).not.toMatch(/\b(nix|sops|apt-get)\b/);
  });
});

describe("the step that previews", () => {
  const script = scriptOf("Preview");
  const plan = path.resolve("test", "program", "golden", "preview-plan.json");

  const output = () => fs.readFileSync(path.join(folder, "output"), "utf8");
  const run = (more: Record<string, string> = {}) =>
    runStep(script, { GITHUB_OUTPUT: path.join(folder, "output"), COMMIT: "c0ffee", RUN_URL: "https://run", ...more });

  it("makes the comment of what pulumi prints, with node and pulumi alone on PATH", async () => {
    link("node", "cat", "od", "tr");
    writeProgram("pulumi", `#!/bin/bash\necho "$@" > ${folder}/arguments\ncat ${plan}\n`);
    await run();
    expect(fs.readFileSync(path.join(folder, "arguments"), "utf8")).toBe(
      "preview --stack dev --json --non-interactive\n",
    );
    const golden = fs.readFileSync(path.join("test", "program", "golden", "preview-comment.md"), "utf8");
    const lines = output().split("\n");
    expect(lines[0]).toBe(`text<<${lines.at(-2)}`);
    expect(lines.slice(1, -2).filter((line) => line !== "Commit c0ffee, [this run](https://run).")).toEqual(
      golden.trimEnd().split("\n").toSpliced(3, 0, "").slice(0),
    );
  });

  it("fails, so that nothing is posted, where the comment holds a secret", async () => {
    link("node", "cat", "od", "tr");
    writeProgram("pulumi", `#!/bin/bash\ncat ${plan}\n`);
    const SOME_TOKEN = "image-build"; // in every comment of this plan
    await expect(run({ SOME_TOKEN })).rejects.toThrow("the comment holds the value of SOME_TOKEN");
    expect(fs.existsSync(path.join(folder, "output"))).toBe(false);
  });

  it("fails where pulumi does, and the comment says so, with Pulumi's reason", async () => {
    link("node", "cat", "od", "tr");
    const failed = JSON.stringify({
      steps: [],
      diagnostics: [{ severity: "error", message: "error: no such region" }],
    });
    writeProgram("pulumi", `#!/bin/bash\necho '${failed}'\nexit 255\n`);
    await expect(run()).rejects.toMatchObject({ code: 255 });
    expect(output()).toContain("### ❌ The preview of stack `dev` failed");
    expect(output()).toContain("    no such region");
    expect(output()).not.toContain("Nothing changes");
  });

  it("says that it failed where pulumi printed no plan at all", async () => {
    link("node", "cat", "od", "tr");
    writeProgram("pulumi", "#!/bin/bash\necho 'error: no stack named dev' >&2\nexit 255\n");
    await expect(run()).rejects.toThrow("no stack named dev");
    expect(output()).toContain("### ❌ The preview of stack `dev` failed");
  });
});

/** GitHub's command over a file of comments: lists them through jq, adds one, changes one. */
const GH = `#!/bin/bash
set -e
comments=$FOLDER/comments.json
for argument in "$@"; do [[ $argument == body=@* ]] && body=$(cat "\${argument#body=@}"; echo x) && body=\${body%x}; done
case "$*" in
  *--paginate*) jq --raw-output "\${@: -1}" "$comments" ;;
  *"--method PATCH"*) jq --arg id "\${4##*/}" --arg body "$body" 'map(if .id == ($id | tonumber) then .body = $body else . end)' "$comments" > "$comments.new" ;;
  *) jq --arg body "$body" '. + [{id: (length + 1), user: {login: "github-actions[bot]"}, body: $body}]' "$comments" > "$comments.new" ;;
esac
if [ -e "$comments.new" ]; then mv "$comments.new" "$comments"; fi
`;

const missing = ["jq", "bash"].filter((program) => !findOnPath(program));
const unless = missing.length === 0 ? "" : ` (skipped: needs ${missing.join(" and ")} on PATH)`;

describe.skipIf(missing.length > 0)(`the step that comments${unless}`, () => {
  const script = scriptOf("One comment");
  const file = () => path.join(folder, "comments.json");
  const comments = () => JSON.parse(fs.readFileSync(file(), "utf8")) as { id: number; user: object; body: string }[];
  const mine = (what: string) => `<!-- sealed-onion preview -->\n### ${what}\n`;

  async function post(body: string): Promise<void> {
    const [GITHUB_REPOSITORY, COMMENTS] = ["someone/onion", "repos/someone/onion/issues/7/comments"];
    const origin = { COMMIT: "c0ffee", RUN_URL: "https://run" };
    await runStep(script, { FOLDER: folder, GITHUB_REPOSITORY, COMMENTS, COMMENT: body, ...origin });
  }
  const bot = { login: "github-actions[bot]" };
  const others = [
    { id: 1, user: { login: "reader" }, body: "Nice!" },
    { id: 2, user: { login: "mallory" }, body: mine("planted") },
    { id: 3, user: bot, body: "Another workflow's comment" },
  ];

  it("posts once, then edits its own comment and no other, no matter who writes one that looks alike", async () => {
    link("jq", "cat", "mv", "head");
    writeProgram("gh", GH);
    fs.writeFileSync(file(), JSON.stringify(others));
    await post(mine("first").trimEnd());
    expect(comments()).toEqual([...others, { id: 4, user: bot, body: mine("first") }]);
    await post(mine("second").trimEnd());
    expect(comments()).toEqual([...others, { id: 4, user: bot, body: mine("second") }]);
  });

  it("says that the preview failed where it said nothing, or something else than a comment of ours", async () => {
    link("jq", "cat", "mv", "head");
    writeProgram("gh", GH);
    for (const said of ["", "LGTM, merge it"]) {
      fs.writeFileSync(file(), JSON.stringify(others));
      await post(said);
      expect(comments().at(-1)?.body).toBe(
        "<!-- sealed-onion preview -->\n### ❌ The preview failed before it said anything\n\nCommit c0ffee, [this run](https://run).\n",
      );
    }
  });
});
