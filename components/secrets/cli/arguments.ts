import { parseArgs } from "node:util";
import { UsageError } from "../../process/usage-error";

/** What `npm run secrets` is asked to do. */
export interface SecretsArguments {
  readonly action: "list" | "show" | "edit" | "reseal" | "adopt";
  /** The secret; undefined for `list` and `reseal --all`. */
  readonly name: string | undefined;
  readonly stack: string | undefined;
  readonly json: boolean;
  readonly force: boolean;
  readonly all: boolean;
  readonly offline: boolean;
}

export const usage = `usage: npm run secrets -- [--stack STACK] [--json] [--offline]   a table of all secrets
       npm run secrets -- show NAME [--stack STACK] [--force]     prints one, to a terminal
       npm run secrets -- edit NAME [--stack STACK]               opens one in $EDITOR, in memory
       npm run secrets -- reseal NAME [--stack STACK]             reads its source again and seals it
       npm run secrets -- reseal --all [--stack STACK]            the same for all, of all stacks
       npm run secrets -- adopt NAME [--stack STACK]              takes a sealed file as it is into its record`;

/** @throws UsageError with what is wrong and the usage */
export function readArguments(argv: string[]): SecretsArguments {
  const { values, positionals } = parse(argv);
  const [action = "list", name, ...more] = positionals;
  if (!isAction(action)) throw new UsageError(`no such action: ${action}\n${usage}`);
  const flags = { json: false, force: false, all: false, offline: false, ...values };
  const wantsName = action !== "list" && !(action === "reseal" && flags.all);
  if (wantsName !== (name !== undefined) || more.length > 0) {
    throw new UsageError(`${action} takes ${wantsName ? "the name of one secret" : "no name"}\n${usage}`);
  }
  return { action, name, stack: values.stack, ...flags };
}

function parse(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        stack: { type: "string" },
        json: { type: "boolean" },
        force: { type: "boolean" },
        all: { type: "boolean" },
        offline: { type: "boolean" },
      },
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${usage}`);
  }
}

function isAction(action: string): action is SecretsArguments["action"] {
  return ["list", "show", "edit", "reseal", "adopt"].includes(action);
}
