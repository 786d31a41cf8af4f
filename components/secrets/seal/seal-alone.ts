import { actAs } from "../../azure/login-in-use";
import type { Session } from "../../azure/session/session-socket";
import { endWithParent } from "../../process/child-process";
import { runMain } from "../../process/run-main";
import { removeSecret } from "./remove-secret";
import { readRequest, readTarget } from "./seal-request";
import { sealSecret } from "./seal-secret";

/** What `seal` does where no helper did it. It is a bundle of its own, with errors of its own: see `seal.ts`. */
const options = { label: process.env.SECRET || "seal" };

/** @param session as whom to act, where a Pulumi program has said so */
export function sealAlone(key: string, session: Session | undefined): Promise<void> {
  endWithParent();
  return runMain(async () => {
    const request = readRequest(process.env, key);
    if (session) actAs(session.settings, session.expected);
    console.log(JSON.stringify(await sealSecret(request)));
  }, options); // others may still be waiting for what this process has read
}

export function removeSealed(): Promise<void> {
  return runMain(async () => {
    const { stack, name } = readTarget(process.env);
    console.error(await removeSecret(stack, name));
  }, options);
}
