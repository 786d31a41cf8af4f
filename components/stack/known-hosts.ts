import * as pulumi from "@pulumi/pulumi";
import { SSH_HOST_KEY } from "../secrets/own-secrets";
import type { SealedSecrets } from "../secrets/sealed-secrets";
import { addressesOf } from "./addresses";
import type { StackConfig } from "./config";
import type { ServiceDeclaration } from "./services";

/** Where SSH answers on the VM, and at which port of its address. */
const SSHD = "127.0.0.1:22";
const SSH_PORT = "22";

/** A line of `known_hosts` for each address that offers SSH, by its name; none where the host key was not generated here. */
export function knownHostsOf(
  config: Pick<StackConfig, "fleet" | "services">,
  { hostnames, publicKeys }: Pick<SealedSecrets, "hostnames" | "publicKeys">,
): pulumi.Output<Record<string, string>> {
  return pulumi.all([hostnames, publicKeys]).apply(([known, keys]) => {
    const hostKey = keys[SSH_HOST_KEY];
    const reachable = hostKey === undefined ? [] : addressesOf(config).filter(({ service }) => service.ssh);
    return Object.fromEntries(
      reachable.map(({ key, name, service }) => [name, knownHostsLine(service, known[key] ?? "", hostKey ?? "")]),
    );
  });
}

/**
 * `HOST.onion ssh-ed25519 AAAA…`, with `[HOST.onion]:PORT` for each further port that leads to sshd.
 * Source: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT
 */
function knownHostsLine({ ports }: ServiceDeclaration, hostname: string, publicKey: string): string {
  const others = Object.keys(ports).filter((port) => port !== SSH_PORT && ports[port] === SSHD);
  const hosts = [hostname, ...others.map((port) => `[${hostname}]:${port}`)];
  return `${hosts.join(",")} ${publicKey}`;
}
