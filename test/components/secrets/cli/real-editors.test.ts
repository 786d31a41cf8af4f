import * as fs from "node:fs";
import * as path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { findOnPath } from "../../../../components/process/find-program";
import { chosenEditor, editorInUse } from "../../../../components/secrets/cli/editor-in-use";
import { openSealed, type Run, type Sealing, startSealing } from "../sealing";

const sealed = "nix/stacks/dev/token.sops.json";
const lacking = (...tools: string[]) => tools.filter((tool) => !findOnPath(tool));
const why = (missing: string[]) => (missing.length > 0 ? ` (skipped: needs ${missing.join(", ")} on PATH)` : "");
const realName = (name: string) => path.basename(fs.realpathSync(findOnPath(name) ?? "/"));

let sealing: Sealing;
let disk: string;

beforeAll(async () => {
  sealing = await startSealing();
  sealing.write("Pulumi.yaml", stringify({ name: "sealed-onion", runtime: "nodejs" }));
  sealing.write(
    "Pulumi.dev.yaml",
    stringify({ config: { "sealed-onion:secrets": { token: { source: { file: "token" } } } } }),
  );
  sealing.write("nix/stacks/dev/facts.json", JSON.stringify({ vault: { keyUrl: sealing.keyUrl } }));
});
beforeEach(async () => {
  sealing.write("token", "the old secret\n");
  if (findOnPath("sops"))
    await sealing.run({ name: "token", source: { file: "token" }, fingerprint: `file:${Math.random()}` });
  disk = fs.mkdtempSync(path.join(sealing.folder, "disk-"));
});
afterAll(() => sealing.close());

/** Edits on a terminal of its own. @param typed what is typed into it */
function edit(EDITOR: string, typed = ""): Promise<Run> {
  const program = `${process.execPath} components/start/run.mjs secrets edit token`;
  const environment = { EDITOR, TERM: "vt100", HOME: disk, TMPDIR: disk };
  return sealing.startRaw("script", ["-qec", program, "/dev/null"], { environment, input: typed });
}

/** Every file below a folder with its content. */
function filesIn(folder: string): [name: string, content: string][] {
  const files = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => [name, fs.readFileSync(path.join(parentPath, name), "latin1")]);
}

const noVim = lacking("sops", "script", "vim");
describe.skipIf(noVim.length > 0)(`a secret in the real vim${why(noVim)}`, () => {
  const names = ["vim", "vim -f", "vi", "view", "editor"].filter((name) => {
    const [program = ""] = name.split(" ");
    return findOnPath(program) && realName(program).includes("vim");
  });

  it.each(names)("leaves nothing on a disk, neither during nor after (%s)", async (name) => {
    const settings = path.join(sealing.folder, "vimrc");
    const folder = disk;
    fs.writeFileSync(
      settings,
      `set undofile undodir=${folder} backup backupdir=${folder} directory=${folder} updatecount=1 viminfo='100,n${folder}/viminfo\n`,
    );
    const during = path.join(sealing.folder, "during");
    const commands = ["%s/old/edited/", `!ls -A ${folder} > ${during}`, "wq!"].map((command) => `-c '${command}'`);
    const run = await edit(`${name} -u ${settings} ${commands.join(" ")}`);
    expect(run.stdout).toContain("token.sops.json: sealed");
    expect((await openSealed(sealing, sealed)).toString()).toBe("the edited secret\n");
    expect(fs.readFileSync(during, "utf8")).toBe("");
    expect(filesIn(folder)).toEqual([]);
  });
});

const noNvi = lacking("sops", "script", "nvi");
describe.skipIf(noNvi.length > 0)(`a secret in the real nvi${why(noNvi)}`, () => {
  it("has its recovery file in memory", async () => {
    const during = path.join(sealing.folder, "during-nvi");
    const typed = `:%s/old/edited/\r:!grep -rl edited /var/tmp > ${during}; echo $HOME >> ${during}\r\r:wq\r`;
    const run = await edit("nvi", typed);
    expect(run.stdout).toContain("token.sops.json: sealed");
    expect((await openSealed(sealing, sealed)).toString()).toBe("the edited secret\n");
    expect(fs.readFileSync(during, "utf8").trim()).toMatch(/^\S+\/\.home$/);
    expect(filesIn(disk)).toEqual([]);
  });
});

describe("an editor", () => {
  it("that hands the text to a program that runs already is named", () => {
    for (const editor of ["emacsclient -t", "/usr/bin/code --wait", "LANG=C subl -w"]) {
      expect(editorInUse(editor, "/memory").warning).toMatch(/^\S+ hands the text to a program that runs already/);
    }
    for (const editor of ["nano -w", "emacs -nw", "vim", "vi", "sh -c 'cat'"]) {
      expect(editorInUse(editor, "/memory").warning).toBeUndefined();
    }
  });

  it.each([
    ["env LANG=C vim -f", "env LANG=C vim -f -u NONE -N -n -i NONE"],
    ["'/opt/an editor/vim' -f", "'/opt/an editor/vim' -f -u NONE -N -n -i NONE"],
    ["/opt/an\\ editor/gvim -f", "/opt/an\\ editor/gvim -f -u NONE -N -n -i NONE"],
    ['"/opt/my vim things/ed" -x', '"/opt/my vim things/ed" -x'],
    ["sh -c 'vim \"$1\"' x", "sh -c 'vim \"$1\"' x"],
  ])("is known behind what starts it, and in a path with spaces: %s", (editor, command) => {
    expect(editorInUse(editor, "/memory").command).toBe(command);
  });

  it("is that of VISUAL, else of EDITOR, else vi", () => {
    expect(chosenEditor({ VISUAL: "code --wait", EDITOR: "ed" })).toBe("code --wait");
    expect(chosenEditor({ VISUAL: " ", EDITOR: "ed" })).toBe("ed");
    expect(chosenEditor({ EDITOR: "" })).toBe("vi");
  });

  it("gets its own arguments before those that keep it in memory", () => {
    const { command } = editorInUse("vim -f", "/memory");
    expect(command).toBe("vim -f -u NONE -N -n -i NONE");
    expect(editorInUse("ed", "/memory")).toEqual({ command: "ed", environment: {} });
    expect(editorInUse("nano -w", "/memory").command).toBe("nano -w --ignorercfiles");
    expect(editorInUse("nvi", "/memory").environment).toEqual({ NEXINIT: "set recdir=/memory" });
  });
});
