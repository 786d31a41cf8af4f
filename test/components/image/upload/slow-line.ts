import * as net from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** A TCP line on loopback that takes so many bytes a second towards its end, of all connections together. */
export interface SlowLine {
  readonly port: number;
  close(): Promise<void>;
}

/** What goes through at once: about 5 ms of a line of 1 Mbit/s, half a packet. */
const SLICE = 700;
/** A timer is late by a millisecond or more: the line owes that much, and no more, so that it takes no burst. */
const OWED_MS = 50;

export async function startSlowLine(targetPort: number, bytesPerSecond: number): Promise<SlowLine> {
  const sockets = new Set<net.Socket>();
  let line: Promise<void> = Promise.resolve();
  let freeAt = 0;
  /** Waits for its turn, and for as long as the line takes for so many bytes. */
  const pass = (bytes: number): Promise<void> => {
    line = line.then(async () => {
      const now = performance.now();
      freeAt = Math.max(freeAt, now - OWED_MS) + (bytes / bytesPerSecond) * 1000;
      if (freeAt > now) await delay(freeAt - now);
    });
    return line;
  };
  const server = net.createServer({ highWaterMark: 4 * SLICE }, (near) => {
    const far = net.connect(targetPort, "127.0.0.1");
    for (const [socket, other] of [[near, far] as const, [far, near] as const]) {
      sockets.add(socket);
      socket.on("error", () => {}); // its other end was closed
      socket.once("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    far.pipe(near);
    void forward(near, far, pass).catch(() => far.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** What waits is not read: it stays in the sender's buffers, as at a router. */
async function forward(from: net.Socket, to: net.Socket, pass: (bytes: number) => Promise<void>): Promise<void> {
  for await (const piece of from as AsyncIterable<Buffer>) {
    for (let at = 0; at < piece.length; at += SLICE) {
      const slice = piece.subarray(at, at + SLICE);
      await pass(slice.length);
      to.write(slice);
    }
  }
  to.end();
}
