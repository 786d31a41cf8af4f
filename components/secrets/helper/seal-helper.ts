import { AsyncLocalStorage } from "node:async_hooks";
import * as fs from "node:fs";
import * as net from "node:net";
import { actAs } from "../../azure/login-in-use";
import { readLine, type Session } from "../../azure/session/session-socket";
import { endWithParent } from "../../process/child-process";
import { runMain } from "../../process/run-main";
import { UsageError } from "../../process/usage-error";
import { wordsOf } from "../../process/words";
import { readRequest } from "../seal/seal-request";
import { sealSecret } from "../seal/seal-secret";
import { type Asked, type HelperAnswer, sharedEnvironment } from "./seal-client";

/**
 * Seals for all the `seal` commands of one `pulumi up`: one login, one loading of the program, and sops at most as often
 * at once as there are processors. The Pulumi program starts it when its first command asks, and says on standard input
 * as whom to act. It ends with the program, and a command that it does not answer works alone.
 */
async function main(): Promise<void> {
  const line = await readLine(process.stdin as unknown as net.Socket);
  const { settings, expected, helper } = sessionIn(line);
  process.stdin.resume().once("close", () => process.exit(0));
  actAs(settings, expected);
  fs.rmSync(helper, { force: true });
  process.once("exit", () => fs.rmSync(helper, { force: true }));
  const server = net.createServer((connection) => {
    connection.on("error", () => {}); // that command has ended: what was sealed for it stands
    void serve(connection);
  });
  server.listen(helper, () => process.stdout.write("ready\n"));
}

function sessionIn(line: string | undefined): Session & { readonly helper: string } {
  try {
    const session = JSON.parse(line ?? "") as Session;
    if (session.settings && session.helper) return { ...session, helper: session.helper };
  } catch {} // said below
  throw new UsageError("pulumi up starts this program itself: there is nothing to do by hand");
}

/** Where what is said while a secret is sealed goes: to the command that asked for it. */
const asking = new AsyncLocalStorage<(answer: HelperAnswer) => void>();

async function serve(connection: net.Socket): Promise<void> {
  const line = await readLine(connection);
  if (line === undefined) return;
  const asked = JSON.parse(line) as Asked;
  const answer = (said: HelperAnswer) => connection.write(`${JSON.stringify(said)}\n`);
  const isOurs = asked.folder === process.cwd() && sharedEnvironment(asked.environment) === own;
  if (!isOurs) answer({ alone: true });
  else await asking.run(answer, () => seal(asked, answer));
  connection.end();
}

/** What the program read from its environment when it was started holds for all: one that differs, or works in another folder, works alone. */
const own = sharedEnvironment(process.env);

async function seal({ environment, key }: Asked, answer: (said: HelperAnswer) => void): Promise<void> {
  try {
    answer({ result: await sealSecret(readRequest(environment, key)) });
  } catch (error) {
    answer({ error: wordsOf(error), isUsage: error instanceof UsageError });
  }
}

const toPeople = console.error;
console.error = (...said: unknown[]) => {
  const answer = asking.getStore();
  if (answer) answer({ log: said.join(" ") });
  else toPeople(...said);
};
endWithParent();
runMain(main, { label: "seal-helper", exits: true });
