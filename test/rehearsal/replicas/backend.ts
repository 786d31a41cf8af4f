import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { onionHostname } from "../../../components/onion/hostname";
import { formatSecretKeyFile, type OnionKey } from "../../../components/onion/keys";
import { readEvaluatedGuest } from "../guest/evaluated";
import { prepareOnionFolder } from "../guest/onion-folder";
import { finishVisits } from "../tor/finish-visits";
import type { TorNetwork } from "../tor/network";
import { type OnionService, startOnionService } from "../tor/onion-service";
import { torrcLines } from "../tor/torrc";

/** A machine that serves: a site that says which machine it is, and a tor with a key of its own. */
export interface Machine {
  readonly name: string;
  /** Its own address. */
  readonly hostname: string;
  /** When its descriptor was first published, milliseconds since the epoch. */
  readonly published: number;
  /** Ends it as Azure does where it is deleted: its system shuts down, and the visits that it has taken in end before. */
  end(): Promise<void>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** Stops it as a hung host would, until it is closed: its connections stay, and nothing answers. */
  freeze(): void;
  close(): Promise<void>;
}

export interface MachineOptions {
  readonly network: TorNetwork;
  readonly name: string;
  readonly key: OnionKey;
  /** What its site answers. @default its name */
  readonly answer?: string;
  /** The address that it is one of several backends of; none serves its own address alone. */
  readonly master?: string;
}

/** Starts a machine and waits until its descriptor is published. */
export async function startMachine({ network, name, key, answer = name, master }: MachineOptions): Promise<Machine> {
  const site = await startSite(answer);
  try {
    const tor = await startTorOf({ network, name, key, master, target: site.target });
    const published = Date.now();
    const signal = (kind: NodeJS.Signals) => process.kill(tor.process.pid, kind);
    let isFrozen = false;
    const close = async () => {
      if (isFrozen) signal("SIGCONT");
      isFrozen = false;
      site.close();
      await tor.close();
    };
    return {
      ...{ name, hostname: tor.hostname, published, close },
      async end() {
        await finishVisits(tor.directory);
        await tor.close();
        await close();
      },
      kill() {
        signal("SIGKILL");
        return close();
      },
      freeze() {
        signal("SIGSTOP");
        isFrozen = true;
      },
    };
  } catch (error) {
    site.close();
    throw error;
  }
}

interface TorOptions extends Omit<MachineOptions, "answer" | "master"> {
  readonly target: string;
  readonly master: string | undefined;
}

async function startTorOf({ network, name, key, master, target }: TorOptions): Promise<OnionService> {
  const { tor } = readEvaluatedGuest(); // what the guest's modules set for a service, and for tor
  const { settings } = Object.values(tor.services)[0] ?? { settings: {} };
  const directory = path.join(network.directory, name);
  const folder = path.join(directory, "service");
  const keyFile = path.join(network.directory, `${name}.key`);
  const hostname = onionHostname(key.publicKey);
  fs.writeFileSync(keyFile, formatSecretKeyFile(key), { mode: 0o600 });
  try {
    await prepareOnionFolder({ name, hostname, settings, keyFile, folder, clients: [] });
  } finally {
    fs.rmSync(keyFile);
  }
  if (master !== undefined) fs.writeFileSync(path.join(folder, "ob_config"), `MasterOnionAddress ${master}\n`);
  const own = master === undefined ? {} : { HiddenServicePoWDefensesEnabled: 0, HiddenServiceOnionBalanceInstance: 1 };
  return startOnionService({
    ...{ network, directory, folder, hostname },
    settings: torrcLines({ ...settings, ...own, HiddenServicePort: [`80 ${target}`] }),
    torrc: torrcLines(tor.settings),
  });
}

async function startSite(answer: string): Promise<{ target: string; close(): void }> {
  const site = http.createServer((_, response) => response.end(answer));
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  const close = () => {
    site.closeAllConnections();
    site.close();
  };
  return { target: `127.0.0.1:${(site.address() as AddressInfo).port}`, close };
}
