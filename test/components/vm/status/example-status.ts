import type { MachineStatus } from "../../../../components/vm/status/machine-status";

export const HOSTNAME = `${"a".repeat(56)}.onion`;

/** A machine that serves, as it says itself. */
export function exampleStatus(change: Partial<MachineStatus> = {}): MachineStatus {
  return {
    version: 1,
    machine: "sealed-onion-dev-abc123",
    resourceId: "/subscriptions/0/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/sealed-onion-dev-abc123",
    written: new Date().toISOString(),
    boot: "7f0c3e9c-0000-4000-8000-000000000000",
    uptimeSeconds: 93_784,
    system: "/nix/store/00000000000000000000000000000000-nixos-system-dev",
    bootedSystem: "/nix/store/00000000000000000000000000000000-nixos-system-dev",
    rebootPending: false,
    secrets: { state: "active" },
    tor: { state: "active", version: "0.4.9.11", guardsSince: "2026-03-01T00:00:00Z" },
    services: { site: { hostname: HOSTNAME, published: "2026-06-01T00:00:00Z", state: "own" } },
    failedUnits: [],
    disk: { size: 2 ** 34, available: 2 ** 33 },
    memory: { total: 2 ** 32, available: 2 ** 31 },
    kernel: "6.18.1",
    ...change,
  };
}
