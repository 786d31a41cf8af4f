import { createHash } from "node:crypto";
import { type Field, list, mustBeUnseen } from "../../config/fields";
import { printed } from "./printed";
import type { Source } from "./source";
import { SourceError } from "./source-error";

/** What a program prints, byte for byte: its argv, without a shell. Its trace is that of argv and generation. */
export const command: Source<"command", readonly string[]> = {
  kind: "command",
  parse,
  describe: ([program = ""]) => program,
  trace: (argv, generation) =>
    createHash("sha256")
      .update(JSON.stringify([argv, generation]))
      .digest("hex"),
  read: async (argv) => ({ content: await readCommand(argv) }),
};

function parse(field: Field): string[] {
  const argv = list(field, "a program and its arguments as a list", (item) => {
    if (typeof item.value !== "string" || item.value.includes("\0")) throw mustBeUnseen(item, "a text");
    return item.value;
  });
  if (!argv[0]) throw mustBeUnseen(field, "a program and its arguments as a list");
  return argv;
}

/** @throws SourceError if it is missing, fails, or prints nothing */
async function readCommand(argv: readonly string[]): Promise<Buffer> {
  const [program = "", ...programArguments] = argv;
  const what = `source command:${program}`;
  const result = await printed(what, program, programArguments);
  if (result.stdout.length > 0 && result.code === 0) return result.stdout;
  result.stdout.fill(0);
  if (result.code === 0) throw new SourceError(`${what} prints nothing: run it by hand to see why`);
  const ending = result.code === null ? `was ended by ${result.signal}` : `ended with code ${result.code}`;
  throw new SourceError(`${what} ${ending}: run it by hand to see why (its messages may hold the secret)`);
}
