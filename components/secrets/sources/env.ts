import { PARAMETERS } from "../../azure/session/asked";
import { type Field, mustBe, mustBeUnseen } from "../../config/fields";
import type { Source } from "./source";
import { SourceError } from "./source-error";

/** An environment variable of the workstation, as UTF-8. */
export const env: Source<"env", string> = {
  kind: "env",
  parse,
  describe: (variable) => variable,
  variable: (variable) => variable,
  read: async (variable) => ({ content: readVariable(variable) }),
};

function parse(field: Field): string {
  const variable = field.value;
  if (typeof variable !== "string" || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable)) {
    throw mustBeUnseen(field, "the name of an environment variable");
  }
  // A secret in one of these would never be seen: the command's own value takes its place.
  if (PARAMETERS.test(variable)) throw mustBe(field, "a variable that the seal command does not use itself");
  return variable;
}

/** @throws SourceError if it is not set or empty (what a CI system gives for a secret that it withholds), or not text */
function readVariable(variable: string): Buffer {
  const value = process.env[variable];
  if (value === undefined) throw new SourceError(`source env:${variable} is not set: export ${variable}`, true);
  if (value === "") throw new SourceError(`source env:${variable} is empty: export ${variable} with the secret`, true);
  // Node puts this character in place of bytes that are no UTF-8: they are lost by then.
  if (value.includes("\uFFFD")) {
    throw new SourceError(`source env:${variable} holds bytes that are no UTF-8: put them into a file source`);
  }
  return Buffer.from(value, "utf8");
}
