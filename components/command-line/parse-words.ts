import { parseArgs } from "node:util";
import { nearest } from "../config/nearest";
import { UsageError } from "../process/usage-error";
import type { Action, Command, Option, Words } from "./command";

type Token = { kind: "option"; name: string; rawName: string; value?: string | undefined };

/**
 * Reads what was typed after a command's name.
 * @returns "help" where that is asked for, whatever else is
 * @throws UsageError in one line, with the nearest word that is known
 */
export function parseWords<C extends Command>(command: C, argv: readonly string[]): Words<C> | "help" {
  const types = Object.entries(command.options).map(([name, { value }]) => [name, { type: typeOf(value) }] as const);
  const options = { ...Object.fromEntries(types), help: { type: "boolean", short: "h" } as const };
  const parsed = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });
  const given = parsed.tokens.filter((token) => token.kind === "option") as Token[];
  if (given.some(({ name }) => name === "help")) return "help";
  for (const token of given) checkOption(command, token);
  refuseTakenByNpm(command, given);
  const values = Object.fromEntries(given.map(({ name, value }) => [name, value ?? true]));
  const { action, word } = readAction(command, parsed.positionals, Object.keys(values));
  const all = Object.keys(command.options).map((name) => [name, values[name] ?? absent(command.options[name])]);
  return { action, word, options: Object.fromEntries(all) };
}

function typeOf(value: string | undefined): "string" | "boolean" {
  return value === undefined ? "boolean" : "string";
}

function absent(option: Option | undefined): false | undefined {
  return option?.value === undefined ? false : undefined;
}

function checkOption(command: Command, { name, rawName, value }: Token): void {
  const option = command.options[name];
  if (option === undefined) throw unknown(command, "option", rawName, optionNames(command));
  if (option.value === undefined && value !== undefined)
    throw new UsageError(`--${name} is on or off, got ${value}: leave the value out`);
  if (option.value !== undefined && !value)
    throw new UsageError(`--${name} takes a value: type --${name} ${option.choices?.[0] ?? option.value}`);
  if (option.choices && !option.choices.includes(value ?? "")) {
    const near = nearest(value ?? "", option.choices);
    const remedy = near ? `did you mean ${near}` : `type --${name} ${option.choices[0]}`;
    throw new UsageError(`--${name} must be ${option.choices.join(" or ")}, got ${value}: ${remedy}`);
  }
}

function optionNames({ options }: Command): string[] {
  return [...Object.keys(options), "help"].map((name) => `--${name}`);
}

function unknown(command: Command, what: string, word: string, known: readonly string[]): UsageError {
  const near = nearest(word, known) ?? nearest(`--${word.replace(/^-+/, "")}`, optionNames(command));
  return new UsageError(
    `unknown ${what} ${word}: ${near ? `did you mean ${near}` : `type npm run ${command.name} -- --help`}`,
  );
}

/** Without `--` npm keeps an option for itself, and the command never sees it. */
function refuseTakenByNpm({ name: command, options }: Command, given: readonly Token[]): void {
  if (process.env.npm_lifecycle_event !== command) return;
  for (const name of Object.keys(options)) {
    const taken = process.env[`npm_config_${name.replaceAll("-", "_")}`];
    if (taken === undefined || taken === "" || given.some((token) => token.name === name)) continue;
    throw new UsageError(`npm has taken --${name} for itself: type npm run ${command} -- --${name}`);
  }
}

function readAction(command: Command, positionals: readonly string[], given: readonly string[]) {
  const { actions } = command;
  if (actions === undefined) {
    const [extra] = positionals;
    if (extra !== undefined) throw unknown(command, "word", extra, []);
    return { action: "", word: "" };
  }
  const [action = Object.keys(actions)[0] ?? "", word = "", extra] = positionals;
  const known = actions[action];
  if (known === undefined) throw unknown(command, "action", action, Object.keys(actions));
  if (extra !== undefined) throw new UsageError(`${action} takes one word, got ${extra} as well`);
  for (const name of given) checkBelongs(command, name, action);
  const isReplaced = given.some((name) => command.options[name]?.insteadOfWord);
  checkWord(command, action, known, word, isReplaced);
  return { action, word };
}

function checkBelongs({ options }: Command, name: string, action: string): void {
  const { actions } = options[name] ?? {};
  if (actions && !actions.includes(action))
    throw new UsageError(`--${name} goes with ${actions.join(" and ")}, not with ${action}`);
}

function checkWord(
  command: Command,
  action: string,
  { word: wanted }: Action,
  word: string,
  isReplaced: boolean,
): void {
  const isWanted = wanted !== undefined && !isReplaced;
  if (isWanted && word === "")
    throw new UsageError(`${action} takes a word: type npm run ${command.name} -- ${action} ${wanted}`);
  if (!isWanted && word !== "") throw new UsageError(`${action} takes no word here, got ${word}: leave it out`);
}
