import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Cleanup } from "../cleanup";
import { succeed } from "./succeed";

/** Azure's addresses as every machine of Azure has them, and one for the hosts that the DNS names. */
export const addresses = {
  metadata: "169.254.169.254",
  wireServer: "168.63.129.16",
  hosts: "10.77.0.1",
  machine: "10.77.0.4",
};

/** The namespace that holds the machine's end of the cable. */
export const MACHINE_NETWORK = "/run/netns/vm";

/** Between Azure and one machine. */
export interface Cable {
  /** Azure's end, an interface of this process's namespace. */
  readonly device: string;
  /** Where Azure is on it, the machine's way out. */
  readonly router: string;
  readonly machine: string;
  /** The machine's namespace, as a path. */
  readonly network: string;
}

const ONLY: Cable = { device: "azure", router: addresses.hosts, machine: addresses.machine, network: MACHINE_NETWORK };

/** Lays a cable between Azure (the namespace of this process) and the machine's namespace. */
export async function makeNetwork(): Promise<void> {
  await succeed("ip", ["netns", "add", path.basename(MACHINE_NETWORK)]);
  await succeed("ip", ["link", "add", "azure", "type", "veth", "peer", "name", "host0", "netns", "vm"]);
  const own = [`${addresses.metadata}/32`, `${addresses.wireServer}/32`, `${addresses.hosts}/24`];
  for (const address of own) await succeed("ip", ["address", "add", address, "dev", "azure"]);
  await succeed("ip", ["link", "set", "azure", "up"]);
}

/**
 * Lays a cable for each of several machines: what is Azure's is reached by each of them, and none reaches another one.
 * @returns them in order
 */
export async function makeFleetNetwork(machines: number): Promise<Cable[]> {
  for (const address of [addresses.metadata, addresses.wireServer, addresses.hosts])
    await succeed("ip", ["address", "add", `${address}/32`, "dev", "lo"]);
  const cables: Cable[] = [];
  for (let number = 1; number <= machines; number++) {
    const [device, name, subnet] = [`azure${number}`, `vm-${number}`, `10.77.${number}`];
    const cable = { device, router: `${subnet}.1`, machine: `${subnet}.4`, network: `/run/netns/${name}` };
    await succeed("ip", ["netns", "add", name]);
    await succeed("ip", ["link", "add", device, "type", "veth", "peer", "name", "host0", "netns", name]);
    await succeed("ip", ["address", "add", `${cable.router}/24`, "dev", device]);
    await plug(cable, true);
    cables.push(cable);
  }
  return cables;
}

/** Plugs a cable in at Azure's end, or pulls it: then nothing comes through, and nobody is told. */
export async function plug({ device }: Cable, isIn: boolean): Promise<void> {
  await succeed("ip", ["link", "set", device, isIn ? "up" : "down"]);
}

/** Option 245 names the wire server, as Azure's DHCP does and afterburn looks for; in hexadecimal for udhcpd. */
const wireServerOption = addresses.wireServer
  .split(".")
  .map((part) => Number(part).toString(16).padStart(2, "0"))
  .join("");

/** Gives a machine its address. */
export function startDhcp(folder: string, cleanup: Cleanup, { device, machine, router }: Cable = ONLY): ChildProcess {
  const file = path.join(folder, "udhcpd.conf");
  const lines = [
    `start ${machine}`,
    `end ${machine}`,
    `interface ${device}`,
    `lease_file ${path.join(folder, "udhcpd.leases")}`,
    `pidfile ${path.join(folder, "udhcpd.pid")}`,
    `opt router ${router}`,
    `opt dns ${addresses.wireServer}`,
    "opt subnet 255.255.255.0",
    "opt lease 864000",
    `opt 0xf5 ${wireServerOption}`,
  ];
  fs.writeFileSync(file, `${lines.join("\n")}\n`);
  fs.writeFileSync(path.join(folder, "udhcpd.leases"), "");
  // It would ask for 2 s whether somebody else has the address that it is about to give.
  const child = spawn("busybox", ["udhcpd", "-f", "-a", "1", file], { stdio: ["ignore", "ignore", "ignore"] });
  cleanup.add(() => void child.kill());
  return child;
}
