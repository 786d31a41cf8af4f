import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Command } from "../../components/command-line/command";
import { parseWords } from "../../components/command-line/parse-words";
import { doctorCommand } from "../../components/doctor/doctor-words";
import { findOnPath } from "../../components/process/find-program";
import { secretsCommand } from "../../components/secrets/cli/secrets-words";
import { readConfig } from "../../components/stack/config";
import { statusCommand } from "../../components/vm/status/status-words";
import packageFile from "../../package.json";
import { startMocks } from "../components/pulumi-mocks";
import { rehearseCommand } from "../rehearsal/rehearse-words";
import { nobodysSshKey } from "../rehearsal/ssh-key";
import { commandsInSentences, commandsOf, type PageCommand, pages, setConfig } from "./page-commands";

const ours: readonly Command[] = [statusCommand, secretsCommand, doctorCommand, rehearseCommand];
const inBlocks = pages().flatMap(commandsOf);
const all = [...inBlocks, ...pages().flatMap(commandsInSentences)];
const shown = ({ page, line }: PageCommand) => `${page}: ${line}`;
const typed = (...first: string[]) => all.filter(({ words }) => first.every((word, index) => words[index] === word));

/** Pulumi's commands that the pages use, with the flags that they may have; where pulumi is on PATH it is asked, too. */
const pulumiFlags: Readonly<Record<string, readonly string[]>> = {
  login: ["--local"],
  new: ["--generate-only"],
  "stack init": [],
  "stack output": [],
  "stack rename": [],
  "config set": ["--path", "--stack"],
  preview: ["--json"],
  up: ["--refresh", "--replace"],
  cancel: [],
  destroy: ["--skip-preview"],
};

/** Other people's programs. What they are asked is tried by hand, when it is written. */
const others = ["age-keygen", "az", "cd", "curl", "export", "git", "jq", "journalctl", "nix", "nixos-rebuild", "sops"];
const known = [...others, "npm", "npx", "pulumi", "ssh", "sudo", "systemctl", "node", "bao"];

describe("the commands of the pages", () => {
  it("are many, of programs that are known", () => {
    expect(inBlocks.length).toBeGreaterThan(50);
    expect(all.length).toBeGreaterThan(150);
    expect(all.filter(({ words: [program = ""] }) => !known.includes(program)).map(shown)).toEqual([]);
  });

  it("npm's scripts are there, and their words are understood", () => {
    for (const command of typed("npm", "run")) {
      const words = command.words.slice(2).filter((word) => !["-s", "--silent"].includes(word));
      const [name = "", dashes, ...rest] = words;
      expect(Object.keys(packageFile.scripts), shown(command)).toContain(name);
      expect([undefined, "--"], shown(command)).toContain(dashes);
      const declared = ours.find((one) => one.name === name);
      if (declared) expect(() => parseWords(declared, rest), shown(command)).not.toThrow();
    }
  });

  it("tests that are named are there, and no option takes one of them for its value", () => {
    const runs = typed("npm", "test").map((command) => ({ command, words: command.words.slice(3) }));
    expect(runs.length).toBeGreaterThan(1);
    for (const { command, words } of runs) {
      for (const word of words.filter((word) => word.includes("/"))) {
        const isThere = fs.existsSync(word) || fs.existsSync(`${word}.test.ts`);
        expect(isThere, shown(command)).toBe(true);
      }
      const options = words.slice(words.findIndex((word) => word.startsWith("-")));
      expect(
        options.filter((word) => word.includes("/")),
        shown(command),
      ).toEqual([]);
    }
  });

  it("pulumi's commands have flags that they have", () => {
    for (const command of typed("pulumi")) {
      const words = command.words.slice(1);
      const name = Object.keys(pulumiFlags).find((one) => words.join(" ").startsWith(one)) ?? "";
      const flags = words.filter((word) => word.startsWith("--"));
      expect(Object.keys(pulumiFlags), shown(command)).toContain(name);
      for (const flag of flags) expect(pulumiFlags[name], shown(command)).toContain(flag);
    }
  });

  it("dials that are set are dials", () => {
    const dials = Object.keys(parse(fs.readFileSync("components/stack/dials.yaml", "utf8")) as object);
    for (const command of typed("pulumi", "config", "set")) {
      const key = command.words.slice(3).find((word) => !word.startsWith("--")) ?? "";
      const [, dial] = /^sealed-onion:(\w+)/.exec(key) ?? [];
      if (dial !== undefined && dial !== "KEY") expect(dials, shown(command)).toContain(dial);
    }
  });

  it.skipIf(!findOnPath("pulumi"))("and pulumi itself says so (skipped where it is not on PATH)", () => {
    for (const [name, flags] of Object.entries(pulumiFlags)) {
      const help = execFileSync("pulumi", [...name.split(" "), "--help"], { encoding: "utf8" });
      for (const flag of flags) expect(help, `pulumi ${name}`).toContain(flag);
    }
  });

  it("outputs that are asked for are exported", () => {
    const program = fs.readFileSync("index.ts", "utf8");
    for (const command of typed("pulumi", "stack", "output")) {
      expect(program, shown(command)).toContain(`export const ${command.words[3]}`);
    }
  });

  it("what git is given is there, or is made by an up", () => {
    for (const command of typed("git", "add")) {
      for (const file of command.words.slice(2)) expect(fs.existsSync(file), shown(command)).toBe(true);
    }
  });

  it("units whose logs are looked at are units of the guest", () => {
    for (const command of typed("journalctl", "-u")) {
      expect(fs.existsSync(`test/rehearsal/booted/golden/units/${command.words[2]}.service`), shown(command)).toBe(
        true,
      );
    }
  });
});

describe("the configuration that a page sets", () => {
  const setting = pages().filter((page) =>
    commandsOf(page).some(({ words }) => words.join(" ").startsWith("pulumi config set")),
  );

  it.each(setting)("%s: is taken, on top of the stack file that is committed", async (page) => {
    const { config } = parse(fs.readFileSync("Pulumi.dev.yaml", "utf8")) as { config: Record<string, unknown> };
    config["sealed-onion:sshPublicKey"] = nobodysSshKey;
    for (const { words } of commandsOf(page)) {
      if (words.join(" ").startsWith("pulumi config set")) setConfig(config, words.map(realistic));
    }
    const texts = Object.entries(config).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
    await startMocks({ stack: "dev", config: Object.fromEntries(texts) });
    expect(() => readConfig()).not.toThrow();
  });
});

/** What a shell would put in the place of a command. */
function realistic(word: string): string {
  if (word.includes("id_ed25519.pub")) return nobodysSshKey;
  return word.startsWith("$(age-keygen") ? "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p" : word;
}

const missing = ["age-keygen", "sops"].filter((tool) => !findOnPath(tool));

it.skipIf(missing.length > 0)(
  `restore.md: what opens a sealed file without its vault (skipped without age or sops)`,
  () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "restore-"));
    const shell = (line: string) => execFileSync("bash", ["-ec", line], { cwd: folder, encoding: "utf8" });
    const page = commandsOf("components/secrets/restore.md");
    const line = (start: string) => page.find((command) => command.line.includes(start))?.line ?? "";
    try {
      shell(line("age-keygen -o"));
      fs.mkdirSync(path.join(folder, "nix", "stacks", "dev"), { recursive: true });
      const recipient = shell("age-keygen -y recovery-key.txt").trim();
      const types = "--input-type binary --output-type json";
      shell(`echo -n key | sops encrypt ${types} --age ${recipient} /dev/stdin > nix/stacks/dev/onion-key.sops.json`);
      shell(line("sops decrypt"));
      expect(shell(line("sops decrypt").replace("> /dev/null", ""))).toBe("key");
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  },
);
