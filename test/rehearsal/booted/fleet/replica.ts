import * as fs from "node:fs";
import * as path from "node:path";
import type { LoopbackAzure } from "loopback-azure/azure";
import type { FleetMachineStatus } from "../../../../components/fleet/fleet-status";
import type { Facts } from "../../../../components/stack/facts";
import type { Cleanup } from "../../cleanup";
import type { Folders } from "../../folders";
import { copyImage } from "../../guest/disk";
import { Console, until } from "../console";
import { BootedMachine } from "../machine";
import { runGroup } from "../namespaces";
import { type Cable, startDhcp } from "../network";
import { readFacts } from "../stage";
import type { Switchboard } from "./switchboard";

/** One of several machines behind an address, under a systemd of its own. */
export interface BootedReplica {
  /** From 1 on. */
  readonly number: number;
  /** Its own address. */
  readonly hostname: string;
  readonly facts: Facts;
  readonly machine: BootedMachine;
  readonly console: Console;
  readonly cable: Cable;
  /** Waits until it says that it has published after a time. @returns when it has. Both in milliseconds since the epoch */
  published(after: number): Promise<number>;
}

export interface ReplicaParts {
  readonly azure: LoopbackAzure;
  readonly folders: Folders;
  /** See `MachineOptions.platform`. */
  readonly platform: string;
  readonly switchboard: Switchboard;
  readonly cables: readonly Cable[];
  readonly cleanup: Cleanup;
}

/** As long as a boot and a first descriptor may take on a machine that does much else. */
const PUBLISHED_MS = 180_000;

/** Switches a replica on, with the disk that its VM has in Azure. */
export async function bootReplica(parts: ReplicaParts, vmId: string, number: number): Promise<BootedReplica> {
  const { azure, cables, cleanup, folders, platform, switchboard } = parts;
  const cable = cables[number - 1];
  if (cable === undefined) throw new Error(`there is no cable for replica ${number}`);
  const name = `vm-${number}`;
  const folder = path.join(folders.disks, name);
  fs.mkdirSync(folder);
  const disk = path.join(folder, "machine.vhd");
  await copyImage(azure.cloud, vmId, disk);
  await switchboard.connect(cable.machine, await azure.bootMachine(vmId));
  startDhcp(folder, cleanup, cable);
  const console = new Console();
  const prepare = (root: string) => markPage(root, `replica-${number}`);
  const own = { name, network: cable.network, group: path.join(runGroup(), name), prepare };
  const machine = new BootedMachine({ disk, folder, platform, console: console.add, own });
  cleanup.add(() => machine.cutPower());
  await machine.switchOn();
  const facts = readFacts(folders);
  const hostname = facts.replica?.services.site?.[number - 1]?.hostname ?? "";
  const statusUrl = `${facts.status?.containerUrl}/${vmId.split("/").at(-1)}.json`;
  const published = (after: number) => publishedIn(azure, statusUrl, hostname, after);
  return { number, hostname, facts, machine, console, cable, published };
}

/** All replicas have one image, and so one page: by this each says which one it is. */
function markPage(root: string, answer: string): void {
  const store = path.join(root, "nix", "store");
  const [site] = fs.readdirSync(store).filter((name) => name.endsWith("-site"));
  if (site === undefined) throw new Error(`the machine's disk has no site in ${store}`);
  fs.writeFileSync(path.join(store, site, "index.html"), answer);
}

/** What the machine itself has written. */
async function publishedIn({ cloud }: LoopbackAzure, url: string, hostname: string, after: number): Promise<number> {
  let published = 0;
  await until(async () => {
    const { size = 0 } = (await cloud.blobs.properties(url)) ?? {};
    const status: FleetMachineStatus = JSON.parse((await cloud.blobs.read(url, 0, size)).toString());
    const { site } = status.services;
    if (site?.hostname !== hostname) throw new Error(`it serves ${site?.hostname}, its own address is ${hostname}`);
    published = Date.parse(site.published ?? "");
    if (published > after) return true;
    throw new Error(`it has not published ${hostname} since it was switched on`);
  }, PUBLISHED_MS);
  return published;
}
