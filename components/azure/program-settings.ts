import * as pulumi from "@pulumi/pulumi";
import { type ProviderSettings, providerSettings } from "./provider-settings";

/** What tells the provider of this program who it is, secret values of the configuration in clear. */
export function programSettings(): ProviderSettings {
  return providerSettings((key) => pulumi.runtime.getConfig(`azure-native:${key}`), process.env);
}
