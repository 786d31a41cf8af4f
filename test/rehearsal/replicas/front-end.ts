import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { formatSecretKeyFile, type OnionKey } from "../../../components/onion/keys";
import type { TorNetwork } from "../tor/network";
import { startTor } from "../tor/process";
import { type Onionbalance, pythonPath } from "./onionbalance";

/** What `nix/frontend/record.py` tells of one address. */
export interface FrontEndRecord {
  readonly published: string | null;
  readonly uploading: boolean;
  readonly failedUploads: number;
  readonly backends: Readonly<Record<string, { readonly introductionPoints: number; readonly fetched: string | null }>>;
}

/** A front end: a tor without services, and Onionbalance with the address's key. */
export interface FrontEnd {
  record(): FrontEndRecord | undefined;
  /** Waits until it has published points of each of these, fetched after the given time (ms since the epoch). */
  hasPublished(backends: readonly string[], after: number): Promise<void>;
  /** Starts Onionbalance again, for these backends. */
  balance(backends: readonly string[]): Promise<void>;
  kill(): Promise<void>;
  close(): Promise<void>;
}

export interface FrontEndOptions {
  readonly network: TorNetwork;
  readonly onionbalance: Extract<Onionbalance, { python: string }>;
  readonly name: string;
  /** The address's. */
  readonly key: OnionKey;
  readonly hostname: string;
  readonly backends: readonly string[];
}

const DEADLINE_MS = 180_000;

/** Starts it; see `hasPublished`. */
export async function startFrontEnd(options: FrontEndOptions): Promise<FrontEnd> {
  const { network, name, key, hostname } = options;
  const directory = path.join(network.directory, name);
  const tor = await startTor(network.tor, directory, [...network.onionServiceTorrc(), "SocksPort 0"]);
  const keyFile = path.join(directory, "key");
  fs.writeFileSync(keyFile, formatSecretKeyFile(key), { mode: 0o600 });
  let running = startOnionbalance(options, directory, options.backends);
  const end = async (signal: NodeJS.Signals) => {
    await running.end(signal);
    if (signal === "SIGKILL" && tor.pid) process.kill(tor.pid, signal);
    await tor.close();
    fs.rmSync(keyFile, { force: true });
  };
  let ended: Promise<void> | undefined;
  const close = (signal: NodeJS.Signals) => (ended ??= end(signal));

  function record(): FrontEndRecord | undefined {
    const file = path.join(directory, "front-end.json");
    if (!fs.existsSync(file)) return undefined;
    return (JSON.parse(fs.readFileSync(file, "utf8")) as Record<string, FrontEndRecord>)[hostname];
  }

  return {
    record,
    async hasPublished(backends, after) {
      for (const deadline = Date.now() + DEADLINE_MS; !isPublished(record(), backends, after); await sleep(200)) {
        if (Date.now() > deadline || running.hasEnded()) {
          throw new Error(
            `${name} has not published ${backends.join(", ")}: ${JSON.stringify(record())}\n${running.said()}`,
          );
        }
      }
    },
    async balance(backends) {
      await running.end("SIGTERM");
      running = startOnionbalance(options, directory, backends);
    },
    kill: () => close("SIGKILL"),
    close: () => close("SIGTERM"),
  };
}

/** Times in the record are whole seconds, cut short. */
function isPublished(record: FrontEndRecord | undefined, backends: readonly string[], after: number): boolean {
  if (record === undefined || record.published === null || record.uploading) return false;
  const { backends: taken } = record;
  if (Object.keys(taken).length !== backends.length) return false;
  return backends.every((backend) => {
    const { introductionPoints = 0, fetched = null } = taken[backend] ?? {};
    return introductionPoints > 0 && Date.parse(fetched ?? "") >= after - 1000;
  });
}

function startOnionbalance({ onionbalance }: FrontEndOptions, directory: string, backends: readonly string[]) {
  const config = path.join(directory, "onionbalance.json"); // JSON is YAML
  const instances = backends.map((address) => ({ address }));
  fs.writeFileSync(config, JSON.stringify({ services: [{ key: "key", instances }] }));
  const program = path.resolve("nix", "frontend", "front_end.py");
  const parameters = [program, "--socket", path.join(directory, "control"), "--config", config];
  const child = spawn(onionbalance.python, parameters, {
    env: {
      PATH: process.env.PATH,
      PYTHONPATH: pythonPath(onionbalance),
      PYTHONDONTWRITEBYTECODE: "1",
      SEALED_ONION_STATE: directory,
      SEALED_ONION_LOOK: "10",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log: string[] = [];
  const keep = (chunk: Buffer) => log.splice(0, log.length, ...[...log, chunk.toString()].slice(-60));
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    said: () => log.join(""),
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    async end(signal: NodeJS.Signals) {
      child.kill(signal);
      await closed;
    },
  };
}
