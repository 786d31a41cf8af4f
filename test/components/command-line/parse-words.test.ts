import { afterEach, describe, expect, expectTypeOf, it } from "vitest";
import { type Command, stackOption } from "../../../components/command-line/command";
import { helpText } from "../../../components/command-line/help-text";
import { parseWords } from "../../../components/command-line/parse-words";
import { doctorCommand } from "../../../components/doctor/doctor-words";
import { UsageError } from "../../../components/process/usage-error";
import { secretsCommand } from "../../../components/secrets/cli/secrets-words";
import { statusCommand } from "../../../components/vm/status/status-words";

const pets = {
  name: "format",
  about: "Looks after pets.",
  actions: { list: { about: "all of them" }, feed: { word: "NAME", about: "feeds one" } },
  options: {
    stack: stackOption,
    json: { about: "as JSON", actions: ["list"] },
    all: { about: "every one", actions: ["feed"], insteadOfWord: true },
    food: { value: "FOOD", choices: ["hay", "seeds"], about: "what they get" },
  },
  exitCodes: { 0: "fed" },
} as const satisfies Command;

describe("the words of a command", () => {
  it("are typed as they are declared, and absent ones are false or undefined", () => {
    const words = parseWords(pets, []);
    expect(words).toEqual({
      action: "list",
      word: "",
      options: { stack: undefined, json: false, all: false, food: undefined },
    });
    if (words !== "help") expectTypeOf(words.options.json).toEqualTypeOf<boolean>();
    if (words !== "help") expectTypeOf(words.options.food).toEqualTypeOf<string | undefined>();
  });

  it.each([
    [["feed", "rex", "--food", "hay"], { action: "feed", word: "rex", options: { food: "hay" } }],
    [["--stack=dev", "--json"], { action: "list", options: { stack: "dev", json: true } }],
    [["feed", "--all"], { action: "feed", word: "", options: { all: true } }],
  ])("%j is understood", (argv, expected) => {
    expect(parseWords(pets, argv)).toMatchObject(expected);
  });

  it.each([[["--help"]], [["-h"]], [["fed", "--help", "--jsn"]]])(
    "%j asks for help, whatever else is typed",
    (argv) => {
      expect(parseWords(pets, argv)).toBe("help");
    },
  );

  it.each([
    [["--jsn"], "unknown option --jsn: did you mean --json"],
    [["-j"], "unknown option -j: type npm run format -- --help"],
    [["--verbose"], "unknown option --verbose: type npm run format -- --help"],
    [["fede"], "unknown action fede: did you mean feed"],
    [["json"], "unknown action json: did you mean --json"],
    [["--json=yes"], "--json is on or off, got yes: leave the value out"],
    [["--stack"], "--stack takes a value: type --stack STACK"],
    [["--stack="], "--stack takes a value: type --stack STACK"],
    [["--food", "hey"], "--food must be hay or seeds, got hey: did you mean hay"],
    [["--food", "concrete"], "--food must be hay or seeds, got concrete: type --food hay"],
    [["feed"], "feed takes a word: type npm run format -- feed NAME"],
    [["feed", "rex", "--all"], "feed takes no word here, got rex: leave it out"],
    [["feed", "rex", "--json"], "--json goes with list, not with feed"],
    [["list", "rex"], "list takes no word here, got rex: leave it out"],
    [["feed", "rex", "max"], "feed takes one word, got max as well"],
  ])("%j is refused in one line", (argv, message) => {
    expect(() => parseWords(pets, argv)).toThrow(new UsageError(message));
  });
});

describe("an option that npm has taken because the -- is missing", () => {
  afterEach(() => {
    delete process.env.npm_config_json;
    delete process.env.npm_lifecycle_event;
  });

  it("is named, in that command alone", () => {
    process.env.npm_config_json = "true";
    process.env.npm_lifecycle_event = "test";
    expect(parseWords(pets, [])).toMatchObject({ options: { json: false } });
    process.env.npm_lifecycle_event = "format";
    const message = "npm has taken --json for itself: type npm run format -- --json";
    expect(() => parseWords(pets, [])).toThrow(new UsageError(message));
    expect(parseWords(pets, ["--json"])).toMatchObject({ options: { json: true } });
  });
});

describe.each([pets, statusCommand, secretsCommand, doctorCommand] as Command[])("the help of $name", (command) => {
  it("fits one screen of 80 columns and 24 lines, and names every word and exit code", () => {
    const lines = helpText(command).trimEnd().split("\n");
    expect(lines.length).toBeLessThan(24);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    for (const option of Object.keys(command.options)) expect(helpText(command)).toContain(`--${option}`);
    for (const action of Object.keys(command.actions ?? {})) expect(helpText(command)).toContain(action);
    for (const [code, what] of Object.entries(command.exitCodes))
      expect(helpText(command).replaceAll("\n", " ")).toContain(`${code} ${what}`);
  });
});
