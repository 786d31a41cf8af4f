import { actAs } from "../login-in-use";
import { askSession } from "./session-client";

/** For a command: from now on it acts as the provider of the Pulumi program that runs it. */
export async function actAsProgram(stack: string, url: string): Promise<void> {
  const session = await askSession(stack, url);
  if (session) actAs(session.settings, session.expected);
}
