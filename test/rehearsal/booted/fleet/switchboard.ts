import * as net from "node:net";
import type { Machine } from "loopback-azure/machine/machine";
import type { Cleanup } from "../../cleanup";
import { addresses } from "../network";

/** Azure's addresses, which are the same for every machine, and answer each of them as that machine. */
export interface Switchboard {
  /** @param from the machine's own address */
  connect(from: string, platform: Machine): Promise<void>;
}

const PLACES = [
  { host: addresses.metadata, port: 80 },
  { host: addresses.wireServer, port: 80 },
  { host: addresses.hosts, port: 443 },
] as const;

/** Listens there: whose connection it is, its source address tells. */
export async function openSwitchboard(cleanup: Cleanup): Promise<Switchboard> {
  const known = new Map<string, readonly net.NetConnectOpts[]>();
  for (const [index, { host, port }] of PLACES.entries()) {
    const server = net.createServer((socket) => hand(socket, known.get(socket.remoteAddress ?? "")?.[index]));
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, host, resolve));
    cleanup.add(() => void server.close());
  }
  return {
    async connect(from, { gateway }) {
      const own = { host: "127.0.0.1", port: 0 };
      const listening = PLACES.map(({ host, port }) =>
        port === 443 ? gateway.listenTls(own) : gateway.listenPlain(own, host),
      );
      known.set(from, await Promise.all(listening));
    },
  };
}

function hand(socket: net.Socket, to: net.NetConnectOpts | undefined): void {
  if (to === undefined) return void socket.destroy();
  const other = net.connect(to);
  // One that ends in the middle ends the other one, too.
  for (const [one, its] of [
    [socket, other],
    [other, socket],
  ] as const) {
    one.on("error", () => its.destroy());
    one.pipe(its);
  }
}
