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

/** Lays a cable between Azure (the namespace of this process) and the machine's namespace. */
export async function makeNetwork(): Promise<void> {
  await succeed("ip", ["netns", "add", path.basename(MACHINE_NETWORK)]);
  await succeed("ip", ["link", "add", "azure", "type", "veth", "peer", "name", "host0", "netns", "vm"]);
  const own = [`${addresses.metadata}/32`, `${addresses.wireServer}/32`, `${addresses.hosts}/24`];
  for (const address of own) await succeed("ip", ["address", "add", address, "dev", "azure"]);
  await succeed("ip", ["link", "set", "azure", "up"]);
}

/** Option 245 names the wire server, as Azure's DHCP does and afterburn looks for; in hexadecimal for udhcpd. */
const wireServerOption = addresses.wireServer
  .split(".")
  .map((part) => Number(part).toString(16).padStart(2, "0"))
  .join("");

/** Gives the machine its address. */
export function startDhcp(folder: string, cleanup: Cleanup): ChildProcess {
  const file = path.join(folder, "udhcpd.conf");
  const lines = [
    `start ${addresses.machine}`,
    `end ${addresses.machine}`,
    "interface azure",
    `lease_file ${path.join(folder, "udhcpd.leases")}`,
    `pidfile ${path.join(folder, "udhcpd.pid")}`,
    `opt router ${addresses.hosts}`,
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
