import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { privateFolder } from "../../process/private-folder";
import { wordsOf } from "../../process/words";
import { SourceError } from "./source-error";
import type { SecretSource } from "./sources";

/** A source as it is at one time: one whose trace is another has changed. */
export type Traced = readonly [source: SecretSource, trace: string | undefined];

/**
 * Reads a source that asks a person or a service, once for all who want it at the same time.
 *
 * `pulumi up` seals each secret in a process of its own and starts them together. The first that wants a source reads
 * it, and while it seals hands it to the others over a socket in a folder that only this user can enter: the
 * plaintext stays in memory. A process that starts after the first one has ended reads the source again: nothing
 * lives on that could be asked for it.
 *
 * Within one process every source is read once, and again if it has changed since.
 */
export async function readShared(traced: Traced, read: () => Promise<Buffer>): Promise<Buffer> {
  const key = JSON.stringify(traced);
  const known = readings.get(key) ?? readOnceAmongProcesses(key, read);
  readings.set(key, known);
  return Buffer.from(await known); // the caller wipes its copy
}

const readings = new Map<string, Promise<Buffer>>();

async function readOnceAmongProcesses(key: string, read: () => Promise<Buffer>): Promise<Buffer> {
  const socket = socketPath(key);
  // A longer name is no socket's (sun_path holds 104 bytes on macOS): then this process reads for itself.
  if (Buffer.byteLength(socket) > 103) return read();
  for (let attempt = 0; attempt < 3; attempt++) {
    const server = await listen(socket);
    if (server) return readAndServe(server, socket, read);
    const received = await receive(socket);
    if (received) return received;
    // Its owner has ended: what is left is a name that nobody answers at.
    fs.rmSync(socket, { force: true });
  }
  return read(); // others come and go too fast: better asked twice than not at all
}

/** One socket for a source, as it is, in a run: the processes of a run have the same parent. */
function socketPath(key: string): string {
  const run = JSON.stringify([process.ppid, process.cwd(), process.env.PASSWORD_STORE_DIR ?? "", key]);
  return path.join(privateFolder(), createHash("sha256").update(run).digest("hex").slice(0, 24));
}

/** @returns undefined if another process has this socket */
function listen(socket: string): Promise<net.Server | undefined> {
  const server = net.createServer();
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen(socket, () => resolve(server));
  });
}

/** Reads the source, and gives it, or the reason why there is none, to every process that connects. */
async function readAndServe(server: net.Server, socket: string, read: () => Promise<Buffer>): Promise<Buffer> {
  const reading = read();
  server.unref(); // this process ends when its own work is done
  process.once("exit", () => fs.rmSync(socket, { force: true }));
  server.on("connection", (connection) => {
    connection.on("error", () => {}); // that process has ended meanwhile
    reading.then(
      (content) => connection.end(framed("+", content)),
      (error: unknown) => connection.end(framed("-", Buffer.from(wordsOf(error)))),
    );
  });
  return reading;
}

/**
 * Waits for what the reading process has read.
 * @returns undefined if nobody answers, or it ended before it had an answer
 * @throws SourceError with its reason if it could not read the source
 */
function receive(socket: string): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const connection = net.connect(socket);
    connection.on("data", (chunk: Buffer) => chunks.push(chunk));
    connection.once("error", () => resolve(undefined));
    connection.once("close", () => {
      const answer = Buffer.concat(chunks);
      for (const chunk of chunks) chunk.fill(0);
      const content = answer.subarray(FRAME_LENGTH);
      if (answer.length < FRAME_LENGTH || content.length !== answer.readUInt32BE(1)) resolve(undefined);
      else if (answer[0] === "-".charCodeAt(0)) reject(new SourceError(content.toString("utf8")));
      else resolve(content);
    });
  });
}

/** A sign and a length before the content, so that an answer that was cut short is seen. */
function framed(sign: "+" | "-", content: Buffer): Buffer {
  const frame = Buffer.alloc(FRAME_LENGTH + content.length, sign);
  frame.writeUInt32BE(content.length, 1);
  content.copy(frame, FRAME_LENGTH);
  return frame;
}

const FRAME_LENGTH = 5;
