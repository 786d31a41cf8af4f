import * as pulumi from "@pulumi/pulumi";
import { readably } from "../../process/readable-error";
import type { Deployer } from "../deployer";
import { chooseLogin, howText } from "../login";
import { programSettings } from "../program-settings";
import { isConfigured, type ProviderSettings } from "../provider-settings";
import type { ExpectedPrincipal } from "../token-source";
import { lend } from "./session";

/**
 * Lends the commands of this `up` the login of Pulumi's provider: from configuration `azure-native:*`, secret values
 * included, or `ARM_*`. They get it over a socket that this user alone can reach, so it is in no recorded environment.
 * @param urls of this deployment's vault and blobs
 * @returns who deploys, for people: Pulumi shows an output that is another one than last time
 */
export function lendLogin(
  stack: string,
  deployer: Deployer,
  urls: readonly pulumi.Input<string>[],
): pulumi.Output<string> {
  const settings = programSettings();
  const how = readably(() => howText(chooseLogin(settings, process.env)));
  const { objectId, type } = deployer.grantee;
  if (!pulumi.runtime.isDryRun()) open(stack, settings, deployer, urls);
  return pulumi.interpolate`${type} ${objectId} of tenant ${deployer.tenantId}, by ${how}`;
}

function open(stack: string, settings: ProviderSettings, deployer: Deployer, urls: readonly pulumi.Input<string>[]) {
  const hosts = new Set<string>();
  for (const url of urls) pulumi.output(url).apply((known) => hosts.add(new URL(known).host));
  let expected: ExpectedPrincipal | undefined;
  pulumi.all([deployer.grantee.objectId, deployer.tenantId]).apply(([objectId, tenantId]) => {
    expected = { objectId, tenantId };
  });
  const isLent = lend(stack, { settings, expected: () => expected, hosts });
  // A promise of Pulumi's: the program fails with it.
  pulumi.output(isLent).apply((isOpen) => {
    if (isOpen || !isConfigured(settings)) return;
    throw new pulumi.RunError(
      `azure-native:* names who acts, and commands of stack ${stack} cannot be told: end the other pulumi up of this folder, or set ARM_* instead`,
    );
  });
}
