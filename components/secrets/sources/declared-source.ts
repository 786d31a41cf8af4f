import * as path from "node:path";
import {
  at,
  choice,
  type Field,
  list,
  listed,
  malformed,
  mustBe,
  mustBeUnseen,
  NAMESPACE,
  structure,
} from "../../config/fields";
import type { SecretSource } from "../secret";

const KINDS = ["onion", "file", "pass", "env", "command"] as const;

/** Longest prefix that a search of days on many cores can find: each letter takes 32 times as long as the one before. */
const LONGEST_PREFIX = 8;

/** Variables that the program `seal` gets its parameters in: a secret in one of these would never be seen. */
const TAKEN_VARIABLES =
  /^(STACK|SECRET|SOURCE|KIND|GENERATION|FROM|FINGERPRINT|KEY_URL|RECIPIENTS|EXPECTED_HOSTNAME|PULUMI_COMMAND_.*)$/;

/** Reads `source`: exactly one reference. What it holds is not shown in errors, as it may be a secret by mistake. */
export function parseSource(field: Field): SecretSource {
  if (field.value === undefined) {
    throw mustBe(field, listed(KINDS), `set ${NAMESPACE}:${field.path}.onion, .file, .pass, .env or .command`);
  }
  const source = structure(field, KINDS);
  const [kind, ...others] = KINDS.filter((key) => source[key] !== undefined);
  if (kind === undefined || others.length > 0) {
    const got = kind === undefined ? "none" : [kind, ...others].join(" and ");
    const problem = `${field.path} must be exactly one of ${listed(KINDS)}, got ${got}`;
    throw malformed(problem, `${kind === undefined ? "set" : "keep"} one in ${NAMESPACE}:${field.path}`);
  }
  const value = at(field.path, source, kind);
  switch (kind) {
    case "onion":
      return { onion: parseOnion(value) };
    case "file":
      return { file: parseFile(value) };
    case "pass":
      return { pass: parsePass(value) };
    case "env":
      return { env: parseVariable(value) };
    case "command":
      return { command: parseCommand(value) };
  }
}

function parseOnion(field: Field): { prefix?: string } {
  const { prefix } = structure(field, ["prefix"]);
  if (prefix === undefined || prefix === "") return {};
  const allowed = `1 to ${LONGEST_PREFIX} of the letters a-z and digits 2-7 (each more takes 32 times as long to find)`;
  if (typeof prefix !== "string" || !/^[a-z2-7]+$/.test(prefix) || prefix.length > LONGEST_PREFIX) {
    throw mustBe({ path: `${field.path}.prefix`, value: prefix }, allowed);
  }
  return { prefix };
}

function parseFile(field: Field): string {
  const file = field.value;
  if (typeof file !== "string" || file === "" || /[\0\n]/.test(file)) throw mustBeUnseen(field, "a file's path");
  if (file.startsWith("~")) throw mustBe(field, "a path without ~, which only a shell expands");
  if (!path.relative("nix", file).startsWith("..")) {
    throw mustBe(field, "outside nix/, which is copied to the world-readable Nix store", "move the file elsewhere");
  }
  return file;
}

function parsePass(field: Field): string {
  const entry = field.value;
  if (typeof entry !== "string" || !/^[^-/\0\n][^\0\n]*$/.test(entry) || entry.split("/").some(isTraversal)) {
    throw mustBeUnseen(field, "the name of an entry of the password store, relative and without ..");
  }
  return entry;
}

function parseVariable(field: Field): string {
  const variable = field.value;
  if (typeof variable !== "string" || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable)) {
    throw mustBeUnseen(field, "the name of an environment variable");
  }
  if (TAKEN_VARIABLES.test(variable)) throw mustBe(field, "a variable that the seal command does not use itself");
  return variable;
}

function parseCommand(field: Field): string[] {
  const argv = list(field, "a program and its arguments as a list", (item) => {
    if (typeof item.value !== "string" || item.value.includes("\0")) throw mustBeUnseen(item, "a text");
    return item.value;
  });
  if (!argv[0]) throw mustBeUnseen(field, "a program and its arguments as a list");
  return argv;
}

/** Whether a path's segment leads elsewhere than it reads. */
export function isTraversal(segment: string): boolean {
  return segment === "" || segment === "." || segment === "..";
}

/** `kind: onion`: what is read from the source is an existing onion key. */
export function parseKind(field: Field): "onion" {
  return choice(field, ["onion"]);
}
