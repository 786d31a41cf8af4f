import * as fs from "node:fs";
import * as path from "node:path";
import type { TorNetwork } from "./network";
import { startTor, type TorProcess } from "./process";

export interface OnionServiceOptions {
  /** The network it joins. */
  network: Pick<TorNetwork, "tor" | "onionServiceTorrc">;
  /** A folder for this tor alone, with a short path; made here with mode 0700. The caller removes it. */
  directory: string;
  /** Tor's folder of the service, laid out with its keys and with who may find it. Removed when this is closed. */
  folder: string;
  /** The hostname that the keys must give; nothing is served under another. */
  hostname: string;
  /** The lines of the torrc below `HiddenServiceDir`: where each port leads, and what else is set for the service. */
  settings: readonly string[];
  /** The lines of the torrc that are for tor as a whole. @default none */
  torrc?: readonly string[];
  /** Milliseconds until the descriptor must be uploaded. @default 60000 */
  deadlineMs?: number;
}

export interface OnionService {
  hostname: string;
  /** Its tor's own folder. */
  directory: string;
  process: TorProcess;
  /** Ends tor and removes the key files. May be called more than once. */
  close(): Promise<void>;
}

/**
 * Runs a tor that serves `ports` under an existing onion key, and waits until its descriptor is published.
 * @throws if tor derives another hostname from the keys than the one expected, or does not take them
 */
export async function startOnionService(options: OnionServiceOptions): Promise<OnionService> {
  const { network, directory, folder, hostname, settings, torrc = [], deadlineMs = 60_000 } = options;
  let running: TorProcess | undefined;
  const close = async () => {
    await running?.close();
    fs.rmSync(folder, { recursive: true, force: true });
  };
  try {
    const service = [`HiddenServiceDir ${folder}`, ...settings];
    const lines = [...network.onionServiceTorrc(), "SocksPort 0", ...torrc, ...service];
    running = await startTor(network.tor, directory, lines);
    // tor has written the file by now: it reads its services before it opens the control socket.
    checkHostname(path.join(folder, "hostname"), hostname);
    const label = hostname.replace(/\.onion$/, "");
    const uploaded = running.control.event((text) => text.startsWith(`HS_DESC UPLOADED ${label}`), deadlineMs);
    await running.control.ask("SETEVENTS HS_DESC");
    await Promise.race([uploaded, running.exited]);
    return { hostname, directory, process: running, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function checkHostname(file: string, expected: string): void {
  const found = fs.readFileSync(file, "ascii").trim();
  if (found !== expected) throw new Error(`tor derives the hostname ${found} from the onion key, expected ${expected}`);
}
