import type { Machine } from "loopback-azure/machine/machine";
import { runChild } from "../../../components/process/child-process";
import { findOnPath } from "../../../components/process/find-program";

/**
 * afterburn takes the wire server's address from option 245 of networkd's DHCP lease and else waits for a minute. Here
 * no DHCP server has told it, so it gets a lease in a mount namespace of its own.
 */
const WITH_LEASE = `
mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/netif/leases
for index in /sys/class/net/*/ifindex; do echo OPTION_245=a83f8110 > "/run/systemd/netif/leases/$(cat "$index")"; done
exec "$0" "$@"`;

/** Whether afterburn can run here: it is on PATH, and there may be a mount namespace. */
export function canRunAfterburn(): boolean {
  return findOnPath("afterburn") !== undefined && process.getuid?.() === 0 && findOnPath("unshare") !== undefined;
}

/** Runs afterburn in the VM with the arguments that its unit has. @throws with what it said, if it fails */
export async function runAfterburn(machine: Machine, [program = "", ...args]: readonly string[]): Promise<void> {
  const environment = { PATH: process.env.PATH, ...machine.env };
  const command = ["--mount", "/bin/sh", "-c", WITH_LEASE, findOnPath(program) ?? program, ...args];
  const { code, stderr } = await runChild("unshare", command, { environment, deadlineMs: 30_000 });
  if (code !== 0) throw new Error(`afterburn fails: ${stderr}`);
}
