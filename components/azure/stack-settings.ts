import { LoginUnclear } from "./login";
import { type ProviderSettings, providerSettings, variablesOf } from "./provider-settings";

/**
 * What tells the provider of a stack who it is, for a program that runs without Pulumi. Encrypted values are opened by
 * Pulumi alone: the environment has to name them as well.
 * @param value of a whole key in the stack's file
 * @throws LoginUnclear
 */
export function stackSettings(
  stack: string,
  value: (key: string) => unknown,
  environment: NodeJS.ProcessEnv,
): ProviderSettings {
  return providerSettings((name) => {
    const given = value(`azure-native:${name}`);
    if (given === undefined || given === null) return undefined;
    if (typeof given !== "object") return `${given}`;
    const [variable = ""] = variablesOf(name);
    if (variablesOf(name).some((known) => environment[known])) return undefined;
    const problem = `azure-native:${name} is encrypted in Pulumi.${stack}.yaml, which only Pulumi opens`;
    throw new LoginUnclear(`${problem}: set ${variable} as well`);
  }, environment);
}
