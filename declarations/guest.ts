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
  checkIn: true,
  hostname: false,
  sshKeys: false,
  entropy: false,
  readyWhenUnsealed: true,
  userDataSecrets: false,
};
