import { AsyncLocalStorage } from "node:async_hooks";
import { actAs } from "../../azure/login-in-use";
import type { HelperAsked, HelperSays } from "../../azure/session/session-helper";
import type { Session } from "../../azure/session/session-socket";
import { endWithParent } from "../../process/child-process";
import { runMain } from "../../process/run-main";
import { UsageError } from "../../process/usage-error";
import { takeLines } from "../../process/whole-lines";
import { wordsOf } from "../../process/words";
import { readRequest } from "../seal/seal-request";
import { sealSecret } from "../seal/seal-secret";

/**
 * Seals for all the `seal` commands of one `pulumi up`: one login, one loading of the program, and sops at most as often
 * at once as there are processors. The Pulumi program starts it when its first command asks, says on standard input as
 * whom to act and what to seal, and gets lines for each command: `log TEXT`, and last `result JSON` or `failed EXIT-CODE`.
 * It ends with the program, and a command that gets no last line works alone.
 */
function main(): Promise<void> {
  return new Promise((_, reject) => {
    const none = new UsageError("pulumi up starts this program itself: there is nothing to do by hand");
    let take = (line: string) => {
      const session = sessionIn(line);
      if (session === undefined) {
        reject(none);
        return;
      }
      actAs(session.settings, session.expected);
      take = (asked) => void serve(JSON.parse(asked) as HelperAsked);
      process.stdin.once("close", () => process.exit(0));
    };
    takeLines(process.stdin, (line) => take(line));
    process.stdin.once("close", () => reject(none));
  });
}

function sessionIn(line: string): Session | undefined {
  try {
    const session = JSON.parse(line) as Session | null;
    return session?.settings ? session : undefined;
  } catch {
    return undefined;
  }
}

/** Where what is said while a secret is sealed goes: to the command that asked for it. */
const asking = new AsyncLocalStorage<(line: string) => void>();

async function serve({ id, environment, input }: HelperAsked): Promise<void> {
  const say = (said: HelperSays) => process.stdout.write(`${JSON.stringify(said)}\n`);
  const tell = (line: string) => say({ id, line });
  await asking.run(tell, async () => {
    try {
      tell(`result ${JSON.stringify(await sealSecret(readRequest(environment, input)))}`);
    } catch (error) {
      console.error(`${environment.SECRET || "seal"}: ${wordsOf(error)}`);
      tell(`failed ${error instanceof UsageError ? 2 : 1}`);
    }
  });
  say({ id });
}

const toPeople = console.error;
console.error = (...said: unknown[]) => {
  const tell = asking.getStore();
  if (tell === undefined) return toPeople(...said);
  for (const line of said.join(" ").split("\n")) tell(`log ${line}`);
};
endWithParent();
runMain(main, { label: "seal-helper", exits: true });
