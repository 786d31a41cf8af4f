import * as fs from "node:fs";
import * as path from "node:path";
import type { Facts } from "../../declarations/facts";
import { parseOnionHostname } from "../../onion/hostname";
import { formatPublicKeyFile } from "../../onion/keys";
import type { LoopbackAzure } from "../azure/azure";
import type { Machine } from "../azure/machine";
import type { TorNetwork } from "../tor/network";
import { startOnionService } from "../tor/onion-service";
import { startFromImage } from "./disk";
import { readEvaluatedGuest } from "./evaluated";
import { unsealEnvironment } from "./manifest";
import { type MemoryFolder, makeMemoryFolder } from "./memory-folder";
import { serveSite } from "./site";
import type { UnsealOptions } from "./unseal";

/** A VM that has been switched on: what it found on its disk, and its memory. */
export interface Vm {
  machine: Machine;
  facts: Facts;
  /** Its `/run`: the one place where plaintext may be. */
  memory: MemoryFolder;
  /** What its console has shown. */
  consoleLines: string[];
  unsealing: UnsealOptions;
  /** Switches it off: its memory is gone. */
  close(): Promise<void>;
}

/**
 * Starts the VM that the program made, from the image that the program made.
 * @param disk a folder that stands for the VM's disk: what the image holds is unpacked there
 */
export async function bootVm(azure: LoopbackAzure, vmId: string, disk: string): Promise<Vm> {
  fs.mkdirSync(disk, { recursive: true });
  const facts = await startFromImage(azure.cloud, vmId, disk);
  const machine = await azure.bootMachine(vmId);
  const memory = makeMemoryFolder();
  const consoleLines: string[] = [];
  const { PATH } = process.env;
  const environment = { PATH, ...machine.env, ...unsealEnvironment(facts, readEvaluatedGuest()) };
  const unsealing = {
    facts,
    sealedFolder: disk,
    root: memory.path,
    environment,
    console: (line: string) => void consoleLines.push(line),
  };
  const close = async () => {
    await machine.close();
    fs.rmSync(memory.path, { recursive: true, force: true });
  };
  return { machine, facts, memory, consoleLines, unsealing, close };
}

/** Starts the VM's tor and web server with the unsealed key, as the guest's onion-service module does. */
export async function serveOnion(vm: Vm, opened: Map<string, string>, network: TorNetwork, directory: string) {
  const [service] = Object.values(vm.facts.services);
  const keyFile = service && opened.get(service.secret);
  if (!service || !keyFile) throw new Error("the image declares no onion service whose key was opened");
  const site = await serveSite(path.resolve("nix", "site"));
  const onion = await startOnionService({
    network,
    directory,
    keyDirectory: path.join(vm.memory.path, "tor", "onion"),
    secretKeyFile: fs.readFileSync(keyFile),
    publicKeyFile: formatPublicKeyFile(parseOnionHostname(service.hostname)),
    hostname: service.hostname,
    ports: { 80: site.address },
  });
  const close = async () => {
    await onion.close();
    await site.close();
  };
  return { hostname: service.hostname, close };
}
