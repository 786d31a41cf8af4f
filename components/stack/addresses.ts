import type * as pulumi from "@pulumi/pulumi";
import type { SealedSecrets } from "../secrets/sealed-secrets";
import type { ServiceDeclaration } from "./services";

/** Onion addresses by service. */
export function onionHostnamesOf(
  services: readonly ServiceDeclaration[],
  hostnames: SealedSecrets["hostnames"],
): pulumi.Output<Record<string, string | undefined>> {
  return hostnames.apply((known) => Object.fromEntries(services.map(({ name, key }) => [name, known[key]])));
}
