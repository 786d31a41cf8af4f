import * as http from "node:http";
import { text } from "node:stream/consumers";
import { fitsSocket, type Session, sessionSocket } from "./session-socket";

/**
 * Asks the Pulumi program of this run as whom to act.
 * @param url where the command is going to act: of a key or of a blob
 * @returns undefined where no such program runs, as for a command that a person started
 */
export async function askSession(stack: string, url: string): Promise<Session | undefined> {
  const answer = await postToSession(stack, "session", url);
  if (answer === undefined) return undefined;
  const said = await text(answer).catch(() => ""); // the program ended meanwhile
  return said === "" ? undefined : (JSON.parse(said) as Session);
}

/** @returns the answer as it comes; undefined where nobody answers */
export function postToSession(stack: string, what: string, body: string): Promise<http.IncomingMessage | undefined> {
  const socketPath = sessionSocket(stack);
  if (!fitsSocket(socketPath)) return Promise.resolve(undefined);
  const request = http.request({ socketPath, path: `/${what}`, method: "POST", agent: false });
  return new Promise((resolve) => {
    request.once("response", resolve);
    request.once("error", () => resolve(undefined));
    request.end(body);
  });
}
