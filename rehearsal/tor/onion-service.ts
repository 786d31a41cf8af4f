import * as fs from "node:fs";
import * as path from "node:path";
import type { TorNetwork } from "./network";
import { startTor, type TorProcess } from "./process";

export interface OnionServiceOptions {
  /** The network it joins. */
  network: Pick<TorNetwork, "tor" | "onionServiceTorrc">;
  /** A folder for this tor alone, with a short path; made here with mode 0700. The caller removes it. */
  directory: string;
  /**
   * The folder for the two key files, made here with mode 0700. It must lie on a memory file system if the key must
   * not reach a disk. @default `service` in `directory`
   */
  keyDirectory?: string;
  /** The content of `hs_ed25519_secret_key`. */
  secretKeyFile: Uint8Array;
  /** The content of `hs_ed25519_public_key`: without it tor takes a damaged secret key for none and makes a new one. */
  publicKeyFile: Uint8Array;
  /** The hostname that the keys must give; nothing is served under another. */
  hostname: string;
  /** Virtual port -> target on loopback, for example `{ 80: "127.0.0.1:8080" }`. */
  ports: Record<number | string, string>;
  /**
   * Lines `descriptor:x25519:…` of the clients that may find the service, by name. @default everybody
   * tor passes over a malformed line, and lets everybody in if none is left: check them before.
   */
  authorizedClients?: Record<string, string>;
  /** Milliseconds until the descriptor must be uploaded. @default 60000 */
  deadlineMs?: number;
}

export interface OnionService {
  hostname: string;
  process: TorProcess;
  /** Ends tor and removes the key files. May be called more than once. */
  close(): Promise<void>;
}

/**
 * Runs a tor that serves `ports` under an existing onion key, and waits until its descriptor is published.
 * @throws if tor derives another hostname from the keys than the one expected, or does not take them
 */
export async function startOnionService(options: OnionServiceOptions): Promise<OnionService> {
  const { network, directory, hostname, deadlineMs = 60_000 } = options;
  const keyDirectory = options.keyDirectory ?? path.join(directory, "service");
  writeKeys(keyDirectory, options);
  let running: TorProcess | undefined;
  const close = async () => {
    await running?.close();
    fs.rmSync(keyDirectory, { recursive: true, force: true });
  };
  try {
    const lines = [...network.onionServiceTorrc(), "SocksPort 0", ...serviceLines(keyDirectory, options.ports)];
    running = await startTor(network.tor, directory, lines);
    // tor has written the file by now: it reads its services before it opens the control socket.
    checkHostname(path.join(keyDirectory, "hostname"), hostname);
    const label = hostname.replace(/\.onion$/, "");
    const uploaded = running.control.event((text) => text.startsWith(`HS_DESC UPLOADED ${label}`), deadlineMs);
    await running.control.ask("SETEVENTS HS_DESC");
    await Promise.race([uploaded, running.exited]);
    return { hostname, process: running, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function writeKeys(keyDirectory: string, keys: OnionServiceOptions): void {
  fs.mkdirSync(keyDirectory, { recursive: true, mode: 0o700 });
  fs.chmodSync(keyDirectory, 0o700);
  fs.writeFileSync(path.join(keyDirectory, "hs_ed25519_secret_key"), keys.secretKeyFile, { mode: 0o400 });
  fs.writeFileSync(path.join(keyDirectory, "hs_ed25519_public_key"), keys.publicKeyFile, { mode: 0o400 });
  if (keys.authorizedClients === undefined) return;
  const clients = path.join(keyDirectory, "authorized_clients");
  fs.mkdirSync(clients, { mode: 0o700 });
  for (const [name, line] of Object.entries(keys.authorizedClients)) {
    fs.writeFileSync(path.join(clients, `${name}.auth`), `${line}\n`, { mode: 0o400 });
  }
}

function serviceLines(keyDirectory: string, ports: OnionServiceOptions["ports"]): string[] {
  const forwards = Object.entries(ports).map(([port, target]) => `HiddenServicePort ${port} ${target}`);
  return [`HiddenServiceDir ${keyDirectory}`, ...forwards];
}

function checkHostname(file: string, expected: string): void {
  const found = fs.readFileSync(file, "ascii").trim();
  if (found !== expected) throw new Error(`tor derives the hostname ${found} from the onion key, expected ${expected}`);
}
