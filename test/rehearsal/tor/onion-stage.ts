import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onionHostname } from "../../../components/onion/hostname";
import { formatSecretKeyFile, generateOnionKey, type OnionKey } from "../../../components/onion/keys";
import { readEvaluatedGuest } from "../guest/evaluated";
import { prepareOnionFolder } from "../guest/onion-folder";
import { startTorNetwork, type TorNetwork } from "./network";
import { type OnionService, startOnionService } from "./onion-service";
import { torrcLines } from "./torrc";

/** A private network, a site, and an onion key under which any number of machines may serve it. */
export interface OnionStage {
  readonly network: TorNetwork;
  readonly key: OnionKey;
  readonly hostname: string;
  /** A service's folder as the guest lays it out: its key and, by name, who may find it. */
  layOut(name: string, own: OnionKey, clients?: Record<string, string>): Promise<string>;
  /** A tor of that name, once its descriptor is published. */
  start(name: string, folder: string, expected?: string): Promise<OnionService>;
  /** The same under the stage's own key, in folders of its own even where one of that name has run before. */
  service(name: string): Promise<OnionService>;
  close(): Promise<void>;
}

/** @param directory an empty one with a short path; the caller removes it */
export async function openOnionStage(directory: string): Promise<OnionStage> {
  const site = await startSite();
  const network = await startTorNetwork({ directory: path.join(directory, "network") });
  const { tor } = readEvaluatedGuest(); // what the guest's modules set for a service, and for tor
  const { settings } = Object.values(tor.services)[0] ?? { settings: {} };
  const key = generateOnionKey();
  const hostname = onionHostname(key.publicKey);

  async function layOut(name: string, own: OnionKey, clients: Record<string, string> = {}): Promise<string> {
    const opened = path.join(directory, `${name}-opened`);
    fs.mkdirSync(opened);
    const open = (secret: string, content: string | Uint8Array) => {
      fs.writeFileSync(path.join(opened, secret), content);
      return path.join(opened, secret);
    };
    const folder = path.join(directory, name, "service");
    const files = Object.entries(clients).map(([secret, line]) => [secret, open(secret, line)] as const);
    const keyFile = open("key", formatSecretKeyFile(own));
    const its = { hostname: onionHostname(own.publicKey), settings };
    await prepareOnionFolder({ name, ...its, keyFile, folder, clients: files });
    return folder;
  }

  const start = (name: string, folder: string, expected = hostname) =>
    startOnionService({
      ...{ network, directory: path.join(directory, name), folder, hostname: expected },
      settings: torrcLines({ ...settings, HiddenServicePort: [`80 ${site.target}`] }),
      torrc: torrcLines(tor.settings),
    });

  let services = 0;
  return {
    ...{ network, key, hostname, layOut, start },
    async service(name) {
      const own = `${name}-${++services}`;
      return start(own, await layOut(own, key));
    },
    async close() {
      await network.close();
      site.close();
    },
  };
}

const SLOW_MS = 2500;

/** Answers `/` with the host that was asked for, `/slow` after some seconds. */
async function startSite(): Promise<{ target: string; close(): void }> {
  const site = http.createServer(async (request, response) => {
    if (request.url === "/slow") await sleep(SLOW_MS);
    response.writeHead(["/", "/slow"].includes(request.url ?? "") ? 200 : 404, { "content-type": "text/plain" });
    response.end(`${request.headers.host} ${request.url}`);
  });
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  const close = () => {
    site.closeAllConnections();
    site.close();
  };
  return { target: `127.0.0.1:${(site.address() as AddressInfo).port}`, close };
}
