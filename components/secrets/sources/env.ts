import { type Field, mustBe, mustBeUnseen } from "../../config/fields";
import type { Source } from "./source";
import { SourceError } from "./source-error";

/** Variables that the program `seal` gets its parameters in: a secret in one of these would never be seen. */
const TAKEN_VARIABLES =
  /^(STACK|SECRET|SOURCE|KIND|GENERATION|FROM|FINGERPRINT|KEY_URL|RECIPIENTS|EXPECTED_HOSTNAME|PULUMI_COMMAND_.*)$/;

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
  if (TAKEN_VARIABLES.test(variable)) throw mustBe(field, "a variable that the seal command does not use itself");
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
