import * as fs from "node:fs";
import * as path from "node:path";
import type { LoopbackAzure } from "loopback-azure/azure";
import type { Machine } from "loopback-azure/machine/machine";
import type { Facts } from "../../../components/stack/facts";
import type { Cleanup } from "../cleanup";
import type { Engine } from "../engine/engine";
import type { Folders } from "../folders";
import { copyImage } from "../guest/disk";
import type { Plaintext } from "../leaks";
import type { TorNetwork } from "../tor/network";
import { Console } from "./console";
import { type NameServer, startDns } from "./dns";
import { BootedMachine } from "./machine";
import { addresses, startDhcp } from "./network";

/** What the stories play on: a deployment, its machine under a systemd of its own, and Azure at its real addresses. */
export interface Stage {
  azure: LoopbackAzure;
  engine: Engine;
  folders: Folders;
  /** As Azure knows the machine. */
  platform: Machine;
  machine: BootedMachine;
  console: Console;
  dns: NameServer;
  tor: TorNetwork;
  facts: Facts;
  /** What must be nowhere; the stories add theirs. */
  plaintexts: Plaintext[];
  /** The operator's SSH private key, a file in memory. */
  sshKey: string;
  /** The stack's configuration, with namespaces. */
  config: Readonly<Record<string, string>>;
}

export interface StageParts
  extends Pick<Stage, "azure" | "config" | "engine" | "folders" | "tor" | "sshKey" | "plaintexts"> {
  vmId: string;
  cleanup: Cleanup;
}

/** Opens Azure's addresses for the machine and gives it its disk. It is not yet switched on. */
export async function prepareStage(parts: StageParts): Promise<Stage> {
  const { azure, folders, tor, cleanup, vmId } = parts;
  const platform = await openPlatform(azure, vmId);
  const dns = await startDns(azure.cloud);
  cleanup.add(() => dns.close());
  startDhcp(folders.disks, cleanup);
  const disk = path.join(folders.disks, "machine.vhd");
  await copyImage(azure.cloud, vmId, disk);
  const given = givenFiles({ azure, folders, tor });
  const console = new Console();
  const machine = new BootedMachine({ disk, folder: folders.disks, platform: given, console: console.add });
  const stage = { ...parts, platform, machine, console, dns, facts: readFacts(folders) };
  cleanup.add(() => stage.platform.close());
  cleanup.add(() => machine.cutPower()); // all is said: its services are not waited for
  return stage;
}

/** Writes what the platform gives each machine (`MachineOptions.platform`). @returns the folder */
export function givenFiles({ azure, folders, tor }: Pick<Stage, "azure" | "folders" | "tor">): string {
  const given = path.join(folders.disks, "platform");
  fs.mkdirSync(given, { mode: 0o755 });
  fs.copyFileSync(azure.authority.certificateFile, path.join(given, "ca.pem"));
  fs.writeFileSync(path.join(given, "torrc"), `${tor.onionServiceTorrc().join("\n")}\n`);
  return given;
}

/** Switches the machine off, and on again as the one that Azure has now, with the disk of that one's image. */
export async function bootAgain(stage: Stage): Promise<void> {
  const { azure, folders, machine } = stage;
  const vmId = azure.cloud.list({ type: "Microsoft.Compute/virtualMachines" })[0]?.id ?? "";
  const before = machine.disk;
  const disk = path.join(folders.disks, `image-${path.basename(before)}`);
  await copyImage(azure.cloud, vmId, disk);
  await machine.switchOff();
  fs.rmSync(before, { force: true });
  await stage.platform.close();
  stage.platform = await openPlatform(azure, vmId);
  await machine.switchOn(disk);
}

/** The metadata service, the wire server and all hosts at the addresses and ports that they have in Azure. */
async function openPlatform(azure: LoopbackAzure, vmId: string): Promise<Machine> {
  const platform = await azure.bootMachine(vmId);
  for (const host of [addresses.metadata, addresses.wireServer]) {
    await platform.gateway.listenPlain({ host, port: 80 }, host);
  }
  await platform.gateway.listenTls({ host: addresses.hosts, port: 443 });
  return platform;
}

/** The facts that the last build wrote. */
export function readFacts(folders: Folders): Facts {
  const file = path.join(folders.program, "nix", "stacks", "rehearsal", "facts.json");
  return JSON.parse(fs.readFileSync(file, "utf8"));
}
