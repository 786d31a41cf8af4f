import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { findOnPath } from "../../components/process/tools";

interface Step {
  name?: string;
  uses?: string;
  run?: string;
}

const text = fs.readFileSync(path.join(".github", "workflows", "preview.yml"), "utf8");
const workflow = parse(text);
const { preview } = workflow.jobs;
const steps = preview.steps as Step[];

function scriptOf(name: string): string {
  const run = steps.find((step) => step.name?.startsWith(name))?.run;
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
  it("runs what a pull request proposes with no right but to read, to log in by OIDC and to comment", () => {
    expect(Object.keys(workflow.on)).toEqual(["pull_request"]);
    expect(workflow.permissions).toEqual({ contents: "read" });
    expect(preview.permissions).toEqual({ contents: "read", "id-token": "write", "pull-requests": "write" });
    expect(text).not.toMatch(/secrets\.|password|client-secret|ARM_CLIENT_SECRET/i);
    expect(preview.env.ARM_USE_OIDC).toBe("true");
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

  it("makes the comment of what pulumi prints, with node and pulumi alone on PATH", async () => {
    link("node", "cat");
    writeProgram("pulumi", `#!/bin/bash\necho "$@" > ${folder}/arguments\ncat ${plan}\n`);
    await runStep(script);
    expect(fs.readFileSync(path.join(folder, "arguments"), "utf8")).toBe(
      "preview --stack dev --json --non-interactive\n",
    );
    const golden = fs.readFileSync(path.join("test", "program", "golden", "preview-comment.md"), "utf8");
    expect(fs.readFileSync(path.join(folder, "comment.md"), "utf8")).toBe(golden);
  });

  it("fails, so that nothing is posted, where the comment holds a secret", async () => {
    link("node", "cat");
    writeProgram("pulumi", `#!/bin/bash\ncat ${plan}\n`);
    const SOME_TOKEN = "image-build"; // in every comment of this plan
    await expect(runStep(script, { SOME_TOKEN })).rejects.toThrow("the comment holds the value of SOME_TOKEN");
    expect(fs.readFileSync(path.join(folder, "comment.md"), "utf8")).toBe("");
  });

  it("fails where pulumi does", async () => {
    link("node");
    writeProgram("pulumi", "#!/bin/bash\necho 'error: no stack named dev' >&2\nexit 255\n");
    await expect(runStep(script)).rejects.toThrow("no stack named dev");
    expect(fs.existsSync(path.join(folder, "comment.md"))).toBe(false);
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
  *) jq --arg body "$body" '. + [{id: (length + 1), body: $body}]' "$comments" > "$comments.new" ;;
esac
if [ -e "$comments.new" ]; then mv "$comments.new" "$comments"; fi
`;

const missing = ["jq", "bash"].filter((program) => !findOnPath(program));
const unless = missing.length === 0 ? "" : ` (skipped: needs ${missing.join(" and ")} on PATH)`;

describe.skipIf(missing.length > 0)(`the step that comments${unless}`, () => {
  const script = scriptOf("One comment");
  const file = () => path.join(folder, "comments.json");
  const comments = () => JSON.parse(fs.readFileSync(file(), "utf8")) as { id: number; body: string }[];
  const mine = (what: string) => `<!-- sealed-onion preview -->\n### ${what}\n`;

  async function post(body: string): Promise<void> {
    fs.writeFileSync(path.join(folder, "comment.md"), body);
    const GITHUB_REPOSITORY = "someone/onion";
    await runStep(script, { FOLDER: folder, GITHUB_REPOSITORY, COMMENTS: "repos/someone/onion/issues/7/comments" });
  }

  it("posts once, then edits its own comment and no other", async () => {
    link("jq", "cat", "mv", "head");
    writeProgram("gh", GH);
    const others = [
      { id: 1, body: "Nice!" },
      { id: 2, body: `> ${mine("quoted")}` },
    ];
    fs.writeFileSync(file(), JSON.stringify(others));
    await post(mine("first"));
    expect(comments()).toEqual([...others, { id: 3, body: mine("first") }]);
    await post(mine("second"));
    expect(comments()).toEqual([...others, { id: 3, body: mine("second") }]);
  });
});
