import { parseArgs } from "node:util";
import { UsageError } from "../../process/usage-error";

/** What `npm run status` is asked to show. */
export interface StatusArguments {
  readonly stack: string | undefined;
  readonly json: boolean;
  readonly prometheus: boolean;
  /** Again at each change, until it is interrupted. */
  readonly watch: boolean;
  /** Whether each address is fetched over Tor. */
  readonly probe: boolean;
  readonly help: boolean;
}

export const USAGE = `usage: npm run status -- [--stack STACK] [--json | --prometheus] [--watch] [--probe]
  what the stack's machine says of itself, and in one line what is wrong and what to type
  --stack STACK   one of nix/stacks; not needed where there is one only
  --json          the machine's own words and the verdict, as one JSON line
  --prometheus    the same as metrics in Prometheus's text format
  --watch         again at each change, until Ctrl-C
  --probe         fetch each address over Tor, too (needs tor and curl on PATH)
exit codes: 0 it serves, 1 it does not, 2 mistyped, 3 nobody could be asked`;

/** @throws UsageError with what is wrong and the usage */
export function readArguments(argv: string[]): StatusArguments {
  const { values } = parse(argv);
  const flags = { json: false, prometheus: false, watch: false, probe: false, help: false, ...values };
  if (flags.json && flags.prometheus) throw new UsageError(`--json and --prometheus exclude each other\n${USAGE}`);
  return { stack: undefined, ...flags };
}

function parse(argv: string[]) {
  const flag = { type: "boolean" } as const;
  try {
    return parseArgs({
      args: argv,
      options: { stack: { type: "string" }, json: flag, prometheus: flag, watch: flag, probe: flag, help: flag },
    });
  } catch (error) {
    throw new UsageError(
      `${(error as Error).message.replace(/^Unknown option/, "unknown option").split(". ")[0]}\n${USAGE}`,
    );
  }
}
