import * as fs from "node:fs";
import * as path from "node:path";
import type { LoopbackAzure } from "loopback-azure/azure";
import type { Machine } from "loopback-azure/machine/machine";
import type { Facts } from "../../../components/stack/facts";
import type { TorNetwork } from "../tor/network";
import { startOnionService } from "../tor/onion-service";
import { torrcLines } from "../tor/torrc";
import { startFromImage } from "./disk";
import { readEvaluatedGuest } from "./evaluated";
import { unsealEnvironment } from "./manifest";
import { type MemoryFolder, makeMemoryFolder } from "./memory-folder";
import { onionBelow, onionServicesOf } from "./onion";
import { prepareOnionFolder } from "./onion-folder";
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

/** A rehearsal changes its folder while its program runs. */
const SITE_FOLDER = path.resolve("nix", "site");

/**
 * Starts the VM's web server and tor with the unsealed key, as the guest's onion-service module does: its script looks at
 * the key, its settings are in the torrc. Other paths and another port of the site, and tor is in a network of its own.
 */
export async function serveOnion(vm: Vm, opened: Map<string, string>, network: TorNetwork, directory: string) {
  const evaluated = readEvaluatedGuest();
  const site = await serveSite(SITE_FOLDER);
  try {
    const [first] = onionServicesOf(vm.facts, evaluated, () => site.address);
    const onion = first && onionBelow(vm.memory.path, first);
    if (!onion || ![...opened.values()].includes(onion.keyFile)) {
      throw new Error("the image declares no onion service whose key was opened");
    }
    const { hostname, folder } = onion;
    await prepareOnionFolder(onion);
    const torrc = torrcLines(evaluated.tor.settings);
    const settings = torrcLines(onion.settings);
    const service = await startOnionService({ network, directory, folder, hostname, settings, torrc });
    const close = async () => {
      await service.close();
      await site.close();
    };
    return { hostname, close };
  } catch (error) {
    await site.close();
    throw error;
  }
}
