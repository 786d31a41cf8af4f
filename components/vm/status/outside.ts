import { managementScope } from "../../azure/clouds";
import { actAsAt, loginInUse } from "../../azure/login-in-use";
import { stackSettings } from "../../azure/stack-settings";
import { readStackFile } from "../../config/stack-file";
import { runChild } from "../../process/child-process";
import { findOnPath } from "../../process/find-program";
import { type AzureView, azureView } from "./azure-view";

/** What others than the machine say of it. Each is there, or the reason why not. */
export interface Outside {
  /** The machine that Pulumi's state has: `/subscriptions/…/virtualMachines/NAME`. */
  readonly wanted: Said<string>;
  readonly azure: Said<AzureView>;
}

export type Said<T> = { readonly is: T } | { readonly not: string };

const PULUMI_MS = 60_000;

/** Asks Pulumi which machine it has, and Azure how that one is. @param spoken the machine that spoke last, by its id */
export async function lookFromOutside(stack: string, spoken: string | undefined): Promise<Outside> {
  const wanted = await said(() => wantedMachine(stack));
  const id = "is" in wanted ? wanted.is : spoken;
  if (id === undefined) return { wanted, azure: { not: "which machine to ask for is not known" } };
  return { wanted, azure: await said(() => askAzureOf(id, stack)) };
}

async function said<T>(ask: () => Promise<T>): Promise<Said<T>> {
  try {
    return { is: await ask() };
  } catch (error) {
    return { not: (error as Error).message };
  }
}

async function wantedMachine(stack: string): Promise<string> {
  if (findOnPath("pulumi") === undefined) throw new Error("pulumi is not on PATH");
  const argv = ["stack", "output", "--json", "--non-interactive", "--stack", stack];
  const { code, stdout, timedOut } = await runChild("pulumi", argv, { deadlineMs: PULUMI_MS });
  if (timedOut) throw new Error(`pulumi does not answer in ${PULUMI_MS / 1000} s`);
  if (code !== 0) throw new Error("pulumi stack output fails: run it by hand to see why");
  const { vmId } = JSON.parse(stdout.toString("utf8")) as { vmId?: string };
  if (vmId === undefined) throw new Error("its state has no machine");
  return vmId;
}

/** As the provider of this stack, which its configuration may name. */
async function askAzureOf(id: string, stack: string): Promise<AzureView> {
  const own = `${stack}'s Resource Manager`;
  actAsAt(own, () => stackSettings(stack, readStackFile(stack).value, process.env));
  const login = loginInUse(own);
  const { token } = await login.getToken(managementScope(login.cloud));
  return azureView(id, { resourceManager: login.cloud.resourceManager, token });
}
