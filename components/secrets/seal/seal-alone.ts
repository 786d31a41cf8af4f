import { actAsProgram } from "../../azure/session/act-as-program";
import { endWithParent } from "../../process/child-process";
import { runMain } from "../../process/run-main";
import { removeSecret } from "./remove-secret";
import { readRequest, readTarget } from "./seal-request";
import { sealSecret } from "./seal-secret";

/** What `seal` does where no helper did it. It is a bundle of its own, with errors of its own: see `seal.ts`. */
const options = { label: process.env.SECRET || "seal" };

/** Acts as the Pulumi program that this runs for, if it runs for one. @param waiting see `endWithParent` */
export function sealAlone(key: string, waiting?: number): Promise<void> {
  endWithParent(waiting);
  return runMain(async () => {
    const request = readRequest(process.env, key);
    await actAsProgram(request.stack, request.recipients.keyUrl);
    console.log(JSON.stringify(await sealSecret(request)));
  }, options); // others may still be waiting for what this process has read
}

export function removeSealed(): Promise<void> {
  return runMain(async () => {
    const { stack, name } = readTarget(process.env);
    console.error(await removeSecret(stack, name));
  }, options);
}
