import type * as pulumi from "@pulumi/pulumi";
import { replicaKey } from "../fleet/replica-keys";
import type { SealedSecrets } from "../secrets/sealed-secrets";
import type { StackConfig } from "./config";
import type { ServiceDeclaration } from "./services";

/** A service at one address. */
export interface Addressed {
  /** The service's name; of ssh on one of several replicas `NAME-replica-2`. */
  readonly name: string;
  readonly service: ServiceDeclaration;
  /** The secret that holds the address's key. */
  readonly key: string;
}

/** The addresses that people use: one for each service, and of ssh on several replicas one for each of these. */
export function addressesOf({ fleet, services }: Pick<StackConfig, "fleet" | "services">): Addressed[] {
  return services.flatMap((service): Addressed[] => {
    const { key, name, ssh } = service;
    if (fleet === undefined || !ssh) return [{ name, service, key }];
    const numbers = Array.from({ length: fleet.replicas }, (_, index) => index + 1);
    return numbers.map((number) => ({ name: `${name}-replica-${number}`, service, key: replicaKey(key, number) }));
  });
}

/** Onion addresses by name. */
export function onionHostnamesOf(
  config: Pick<StackConfig, "fleet" | "services">,
  hostnames: SealedSecrets["hostnames"],
): pulumi.Output<Record<string, string | undefined>> {
  return hostnames.apply((known) => Object.fromEntries(addressesOf(config).map(({ name, key }) => [name, known[key]])));
}
