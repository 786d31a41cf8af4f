import * as path from "node:path";
import { onionHostname } from "../../../components/onion/hostname";
import { generateOnionKey, type OnionKey } from "../../../components/onion/keys";
import type { Cleanup } from "../cleanup";
import { startTorClient, startTorNetwork, type TorClient, type TorNetwork } from "../tor/network";
import { type Machine, startMachine } from "./backend";
import { type FrontEnd, startFrontEnd } from "./front-end";
import type { Onionbalance } from "./onionbalance";

/** A private Tor network, one balanced address on it, and clients. */
export interface FleetStage {
  readonly network: TorNetwork;
  readonly hostname: string;
  /** It keeps what it knows of the address. */
  readonly steady: TorClient;
  /** It is there to forget. */
  readonly forgetful: TorClient;
  /** Starts a machine as the replica of that number, from 1 on: its key is the replica's, whichever machine it is. */
  replica(number: number): Promise<Machine>;
  /** Starts a front end of the address; it has published when it has. */
  frontEnd(backends: readonly Machine[]): Promise<FrontEnd>;
  /** A machine that serves the address by itself. */
  alone(): Promise<Machine>;
}

/** Onionbalance counts in hours, as the public network does, and wants eight directories (facts of tor 0.4.9). */
export const FLEET_NETWORK = { relays: 9, voting: { first: 1800, later: 3600 } };

/** As a client that has run for a while has learned it; a new one gives each step of a visit a minute. */
export const LEARNED = ["LearnCircuitBuildTimeout 0", "CircuitBuildTimeout 3"];

export interface FleetOptions {
  /** An empty folder with a short path; the caller removes it. */
  readonly directory: string;
  readonly onionbalance: Extract<Onionbalance, { python: string }>;
}

export async function openFleetStage({ directory, onionbalance }: FleetOptions, cleanup: Cleanup): Promise<FleetStage> {
  const network = await startTorNetwork({ directory: path.join(directory, "net"), ...FLEET_NETWORK });
  cleanup.add(() => network.close());
  const clients = await Promise.all(["steady", "forgetful"].map((name) => startTorClient(network, name, LEARNED)));
  for (const { process } of clients) cleanup.add(() => process.close());
  const [steady = network.client, forgetful = network.client] = clients;
  const master = generateOnionKey();
  const hostname = onionHostname(master.publicKey);
  const keys = new Map<number, OnionKey>();
  let started = 0;

  async function kept<T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> {
    const one = await starting;
    cleanup.add(() => one.close());
    return one;
  }

  return {
    ...{ network, hostname, steady, forgetful },
    replica(number) {
      const key = keys.get(number) ?? generateOnionKey();
      keys.set(number, key);
      const name = `replica-${number}-${started++}`;
      return kept(startMachine({ network, name, key, answer: `replica-${number}`, master: hostname }));
    },
    frontEnd(backends) {
      const name = `front-end-${started++}`;
      const addresses = backends.map((backend) => backend.hostname);
      return kept(startFrontEnd({ network, onionbalance, name, key: master, hostname, backends: addresses }));
    },
    alone: () => kept(startMachine({ network, name: `alone-${started++}`, key: master })),
  };
}
