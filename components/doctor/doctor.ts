import { customRole } from "../azure/rights";
import { endWithParent } from "../process/child-process";
import { runMain } from "../process/run-main";
import { UsageError } from "../process/usage-error";
import { readArguments, usage } from "./arguments";
import { costText } from "./cost";
import { findingsText } from "./finding";
import { examineLogin } from "./login";
import { chooseStack, examineStack } from "./stack";
import { examineWorkstation } from "./workstation";

/** `npm run doctor`: what is missing for `pulumi up`, before anything is created. See `usage`. */
async function main(): Promise<void> {
  const { cost, help, json, role, stack: wanted } = readArguments(process.argv.slice(2));
  if (help) return console.log(usage);
  if (role) {
    const subscription = process.env.ARM_SUBSCRIPTION_ID ?? process.env.AZURE_SUBSCRIPTION_ID ?? "SUBSCRIPTION-ID";
    return console.log(JSON.stringify(customRole(subscription), null, 2));
  }
  const stack = await chooseStack(wanted);
  if (cost) {
    if (stack === undefined) throw new UsageError("no stack is selected: type npm run doctor -- --cost --stack dev");
    return console.log(costText(stack));
  }
  await examine(stack, json);
}

async function examine(stack: string | undefined, json: boolean): Promise<void> {
  const [workstation, login] = await Promise.all([examineWorkstation(), examineLogin(stack)]);
  const findings = [...workstation, ...examineStack(stack), ...login];
  console.log(json ? JSON.stringify(findings) : findingsText(findings));
  process.exitCode = findings.some(({ state }) => state === "missing") ? 1 : 0;
}

endWithParent();
runMain(main);
