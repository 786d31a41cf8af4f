import { execFileSync } from "node:child_process";
import * as fs from "node:fs";

/** One command of a page's `sh` blocks, as its words; variables before it and where its output goes are left out. */
export interface PageCommand {
  readonly page: string;
  readonly line: string;
  readonly words: readonly string[];
}

/** Every page of the project that people read. */
export function pages(): string[] {
  const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], {
    encoding: "utf8",
  });
  const isOurs = (file: string) => !/golden|^test\/azure\//.test(file) && fs.existsSync(file); // a package of its own
  return tracked.split("\n").filter((file) => file !== "" && isOurs(file));
}

/** The commands of a page's blocks, in their order. */
export function commandsOf(page: string): PageCommand[] {
  const text = fs.readFileSync(page, "utf8");
  const blocks = [...text.matchAll(/^ *```sh\n([\s\S]*?)^ *```/gm)].map(([, block = ""]) => block);
  const lines = blocks.flatMap((block) => block.replaceAll("\\\n", " ").split("\n"));
  return lines.flatMap((line) => commandsIn(page, line));
}

/** The commands of npm and Pulumi that stand in a page's sentences and tables. */
export function commandsInSentences(page: string): PageCommand[] {
  const sentences = fs.readFileSync(page, "utf8").replace(/^ *```[\s\S]*?^ *```/gm, "");
  const spans = [...sentences.matchAll(/`((?:npm|npx|pulumi) [^`]+)`/g)].map(([, span = ""]) => span);
  return spans.flatMap((span) => commandsIn(page, span.replace(/\s+/g, " ")));
}

function commandsIn(page: string, raw: string): PageCommand[] {
  const line = raw.trim().replace(/(^|\s{2,})#.*$/, "");
  return splitCommands(tokens(line)).map((words) => ({ page, line, words }));
}

/** A shell's words, quotes taken away; `$(…)` stays one word. */
function tokens(line: string): string[] {
  const pattern = /(?:"(?:\$\([^)]*\)|[^"])*"|'[^']*'|\$\([^)]*\)|[^\s"'])+/g;
  return (line.match(pattern) ?? []).map((word) => word.replace(/"((?:\$\([^)]*\)|[^"])*)"|'([^']*)'/g, "$1$2"));
}

function splitCommands(words: readonly string[]): string[][] {
  const commands: string[][] = [[]];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (/^(&&|\|\|?|;)$/.test(word)) commands.push([]);
    else if (/^>>?$/.test(word))
      index++; // where its output goes
    else commands.at(-1)?.push(word);
  }
  return commands.map(withoutVariables).filter((command) => command.length > 0);
}

function withoutVariables(words: string[]): string[] {
  const first = words.findIndex((word) => !/^\w+=/.test(word));
  return first < 0 ? [] : words.slice(first);
}

/**
 * What `pulumi config set [--path] KEY VALUE` makes of a stack's configuration, as Pulumi reads paths and values.
 * Source: https://www.pulumi.com/docs/iac/concepts/config/#structured-configuration
 */
export function setConfig(config: Record<string, unknown>, words: readonly string[]): void {
  const isPath = words.includes("--path");
  const [key = "", value = ""] = words.slice(3).filter((word) => !word.startsWith("--"));
  if (!isPath) {
    config[key] = value;
    return;
  }
  const steps = [...key.matchAll(/\["([^"]*)"\]|\[(\d+)\]|([^.[\]]+)/g)].map(([, quoted, index, name]) =>
    index === undefined ? (quoted ?? name ?? "") : Number(index),
  );
  let place = config as Record<string | number, unknown>;
  steps.forEach((step, at) => {
    if (at === steps.length - 1) place[step] = typed(value);
    else place[step] ??= typeof steps[at + 1] === "number" ? [] : {};
    place = place[step] as Record<string | number, unknown>;
  });
}

function typed(value: string): unknown {
  if (value === "true" || value === "false") return value === "true";
  return /^-?[1-9]\d*$|^0$/.test(value) ? Number(value) : value;
}
