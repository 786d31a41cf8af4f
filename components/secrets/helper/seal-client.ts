import * as net from "node:net";
import { askSession } from "../../azure/session/session-client";
import type { Session } from "../../azure/session/session-socket";
import { UsageError } from "../../process/usage-error";
import type { SealResult } from "../seal/seal-request";

/** What the helper says to a command, a line of JSON each. The last but logs ends it. */
export type HelperAnswer =
  | { readonly log: string }
  | { readonly result: SealResult }
  | { readonly error: string; readonly isUsage: boolean }
  | { readonly alone: true };

/** What a command says to the helper, as one line of JSON. */
export interface Asked {
  readonly environment: NodeJS.ProcessEnv;
  /** Where the command works: sources and sealed files have paths relative to it. */
  readonly folder: string;
  /** What the command got on standard input: see `readRequest`. */
  readonly key: string;
}

/** The parameters of one secret, and what differs between processes without a meaning. */
const own =
  /^(STACK|SECRET|SOURCE|KIND|GENERATION|FROM|FINGERPRINT|KEY_URL|RECIPIENTS|EXPECTED_HOSTNAME|PULUMI_COMMAND_.*|PWD|OLDPWD|SHLVL|_)$/;

/** What the environments of all commands of a run have in common, in a form that compares. */
export function sharedEnvironment(environment: NodeJS.ProcessEnv): string {
  const shared = Object.entries(environment).filter(([name]) => !own.test(name));
  return JSON.stringify(shared.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** The helper's result, or, where this process has to do it itself, as whom: undefined where no program of Pulumi says. */
export type Together = { readonly result: SealResult } | { readonly session: Session | undefined };

/**
 * Lets the helper of this run seal. Nothing is lost where there is none, or it ended before it answered.
 * @throws Error with the helper's words if it could not be sealed
 */
export async function sealTogether(asked: Asked): Promise<Together> {
  const { STACK: stack, KEY_URL: url } = asked.environment;
  if (!stack || !url) return { session: undefined }; // what seals says what is missing
  const shared = Object.fromEntries(JSON.parse(sharedEnvironment(asked.environment)) as [string, string][]);
  const session = await askSession(stack, { url, environment: shared });
  const result = session?.helper === undefined ? undefined : await askHelper(session.helper, asked);
  return result === undefined ? { session } : { result };
}

function askHelper(socket: string, asked: Asked): Promise<SealResult | undefined> {
  const connection = net.connect(socket);
  return new Promise((resolve, reject) => {
    let text = "";
    const take = (line: string) => {
      const answer = JSON.parse(line) as HelperAnswer;
      if ("log" in answer) console.error(answer.log);
      else if ("result" in answer) resolve(answer.result);
      else if ("error" in answer) reject(answer.isUsage ? new UsageError(answer.error) : new Error(answer.error));
      else resolve(undefined);
    };
    connection.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (text + chunk).split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) take(line);
    });
    connection.once("error", () => resolve(undefined));
    connection.once("close", () => resolve(undefined));
    connection.write(`${JSON.stringify(asked)}\n`);
  });
}
