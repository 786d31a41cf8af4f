import { at, boolean, type Field, gather, malformed, NAMESPACE, optional, structure } from "../config/fields";
import { DEFAULTS } from "../config/rules";

/** What the VM's boot agent does: each its own switch. */
export interface BootAgent {
  /** Reports the VM ready to Azure. @default true */
  readonly checkIn: boolean;
  /** Takes the hostname from the instance metadata. @default false */
  readonly hostname: boolean;
  /** Lets in the operator's SSH keys from the instance metadata. @default false */
  readonly sshKeys: boolean;
  /** Seeds the kernel's random pool from the ACPI table OEM0. @default false */
  readonly entropy: boolean;
  /** Reports ready only once every secret is open. @default true */
  readonly readyWhenUnsealed: boolean;
  /** Takes newer sealed files from the VM's user data: a rotated secret needs no new image. @default false */
  readonly userDataSecrets: boolean;
}

export const DEFAULT_BOOT_AGENT: BootAgent = {
  ...DEFAULTS.bootAgent,
  readyWhenUnsealed: DEFAULTS.guest.readyWhenUnsealed,
  userDataSecrets: DEFAULTS.guest.userDataSecrets,
};

/** Reads configuration key `bootAgent`. */
export function parseBootAgent(field: Field): BootAgent {
  const switches = structure(field, Object.keys(DEFAULT_BOOT_AGENT));
  const read = (key: keyof BootAgent) => () =>
    optional(at(field.path, switches, key), DEFAULT_BOOT_AGENT[key], boolean);
  const agent = gather<BootAgent>({
    checkIn: read("checkIn"),
    hostname: read("hostname"),
    sshKeys: read("sshKeys"),
    entropy: read("entropy"),
    readyWhenUnsealed: read("readyWhenUnsealed"),
    userDataSecrets: read("userDataSecrets"),
  });
  if (switches.readyWhenUnsealed === true && !agent.checkIn) {
    const problem = `${field.path}.readyWhenUnsealed is true but ${field.path}.checkIn is false, so nothing is reported`;
    throw malformed(problem, `set ${NAMESPACE}:${field.path}.checkIn to true`);
  }
  return agent;
}
