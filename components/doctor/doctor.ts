import { customRole } from "../azure/rights";
import type { Words } from "../command-line/command";
import { runCommand } from "../command-line/run-command";
import { selectedStack } from "../command-line/selected-stack";
import { endWithParent } from "../process/child-process";
import { UsageError } from "../process/usage-error";
import { buildNeeds } from "./build-needs";
import { costsOf, costText } from "./cost";
import { doctorCommand } from "./doctor-words";
import { findingsText } from "./finding";
import { examineLogin } from "./login";
import { examineStack, stackFiles } from "./stack";
import { examineWorkstation } from "./workstation";

/** `npm run doctor`: what is missing for `pulumi up`, before anything is created. */
async function main({ options: { cost, json, role, stack: wanted } }: Words<typeof doctorCommand>): Promise<void> {
  if (role) {
    const subscription = process.env.ARM_SUBSCRIPTION_ID ?? process.env.AZURE_SUBSCRIPTION_ID ?? "SUBSCRIPTION-ID";
    return console.log(JSON.stringify(customRole(subscription), null, 2));
  }
  const stack = wanted ?? (await selectedStack(stackFiles()));
  if (cost) {
    if (stack === undefined) throw new UsageError("no stack is selected: type npm run doctor -- --cost --stack dev");
    return console.log(json ? JSON.stringify(costsOf(stack)) : costText(stack));
  }
  await examine(stack, json);
}

async function examine(stack: string | undefined, json: boolean): Promise<void> {
  const [workstation, login] = await Promise.all([examineWorkstation(buildNeeds(stack)), examineLogin(stack)]);
  const findings = [...workstation, ...examineStack(stack), ...login];
  console.log(json ? JSON.stringify(findings) : findingsText(findings));
  process.exitCode = findings.some(({ state }) => state === "missing") ? 1 : 0;
}

endWithParent();
runCommand(doctorCommand, main);
