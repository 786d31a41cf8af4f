import { boolean, choice, type Field, gather, MalformedError, mustBe, NAMESPACE, optional } from "../config/fields";
import { DEFAULTS, follows, ruled } from "../config/rules";
import { parseSshPublicKey } from "../config/ssh-public-key";
import { OUTBOUND, type Outbound } from "../network/outbound";
import { type DataDisk, parseDataDisk } from "./data-disk-settings";
import { DEFAULT_HARDWARE, type Hardware, parseHardware } from "./hardware";
import { needsOf, parseVmSize } from "./vm-size";

/** The dials of the virtual machine. */
export interface MachineSettings extends Hardware {
  /** @default Standard_B2s */
  readonly vmSize: string;
  /** `ssh-ed25519 …` or `ssh-rsa …`. */
  readonly sshPublicKey: string;
  /** @default operator */
  readonly adminUser: string;
  /** Whether the OS disk lies on the host and is gone with the VM. @default false */
  readonly ephemeralOsDisk: boolean;
  /** @default publicIp */
  readonly outbound: Outbound;
  /** @default none */
  readonly dataDisk: DataDisk | undefined;
}

export const DEFAULT_MACHINE = {
  vmSize: "Standard_B2s",
  adminUser: DEFAULTS.guest.adminUser,
  ephemeralOsDisk: false,
  outbound: "publicIp",
  dataDisk: undefined,
  ...DEFAULT_HARDWARE,
} as const;

/** Reads the keys of the same names. */
export function parseMachine(value: (key: string) => Field): MachineSettings {
  const size = value("vmSize");
  const disk = value("ephemeralOsDisk");
  const isEphemeral = disk.value === true;
  const parseSize = () => parseVmSize({ ...size, value: size.value ?? DEFAULT_MACHINE.vmSize }, isEphemeral);
  const { hardware, ...machine } = gather({
    vmSize: parseSize,
    hardware: () => parseHardware(value, known(parseSize)),
    sshPublicKey: () => parseOperatorKey(value("sshPublicKey")),
    adminUser: () => optional(value("adminUser"), DEFAULT_MACHINE.adminUser, parseAdminUser),
    ephemeralOsDisk: () => optional(disk, DEFAULT_MACHINE.ephemeralOsDisk, boolean),
    dataDisk: () => optional(value("dataDisk"), DEFAULT_MACHINE.dataDisk, parseDataDisk),
    outbound: () => optional(value("outbound"), DEFAULT_MACHINE.outbound, (field) => choice(field, OUTBOUND)),
  });
  return { ...machine, ...hardware };
}

/** What is wrong with the size is said once, by the size itself. */
function known(parseSize: () => string): string | undefined {
  try {
    return parseSize();
  } catch (error) {
    if (error instanceof MalformedError) return undefined;
    throw error;
  }
}

/** What the image of such a machine has to be made for. */
export function imageMachine({ security, vmSize }: MachineSettings) {
  return { ...needsOf(vmSize), trustedLaunch: security.trustedLaunch };
}

function parseOperatorKey(field: Field): string {
  const command = `type pulumi config set ${NAMESPACE}:${field.path} "$(cat ~/.ssh/id_ed25519.pub)"`;
  if (field.value === undefined || field.value === "") {
    throw mustBe({ path: field.path, value: undefined }, "the SSH public key of the VM's operator", command);
  }
  return parseSshPublicKey(field);
}

/** Source of what Azure refuses: `adminUsername` of https://learn.microsoft.com/rest/api/compute/virtual-machines/create-or-update */
function parseAdminUser(field: Field): string {
  const user = ruled(field, "account", "a Linux user's name (a-z, 0-9, _ and -, at most 31)");
  if (follows("takenUser", user)) throw mustBe(field, "a name that neither Azure nor the system reserves");
  return user;
}
