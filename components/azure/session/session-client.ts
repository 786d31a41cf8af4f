import * as net from "node:net";
import { fitsSocket, readLine, type Session, type SessionRequest, sessionSocket } from "./session-socket";

/**
 * Asks the Pulumi program of this run as whom to act.
 * @returns undefined where no such program runs, as for a command that a person started
 */
export async function askSession(stack: string, request: SessionRequest): Promise<Session | undefined> {
  const socket = sessionSocket(stack);
  if (!fitsSocket(socket)) return undefined;
  const connection = net.connect(socket);
  connection.once("connect", () => connection.write(`${JSON.stringify(request)}\n`));
  const line = await readLine(connection);
  connection.destroy();
  return line ? (JSON.parse(line) as Session) : undefined;
}
