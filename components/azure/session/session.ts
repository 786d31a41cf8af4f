import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import { programFile } from "../../config/project";
import type { ProviderSettings } from "../provider-settings";
import type { ExpectedPrincipal } from "../token-source";
import { fitsSocket, readLine, type Session, type SessionRequest, sessionSocket } from "./session-socket";

/** What a program lends its commands while it runs. */
export interface Lending {
  readonly settings: ProviderSettings;
  /** Whom the provider acts as; undefined as long as that is not known. */
  readonly expected: () => ExpectedPrincipal | undefined;
  /** Hosts of this deployment: another run in the same folder has others, and gets no answer. */
  readonly hosts: ReadonlySet<string>;
}

/** In Pulumi's runtime a program may run twice in one process: the later run is the one that counts. */
const lendings = new Map<string, { lending: Lending; helper?: Promise<string | undefined> }>();

/**
 * Answers the commands of this run, for as long as this process lives, without keeping it alive.
 * @returns whether commands can reach it
 */
export async function lend(stack: string, lending: Lending): Promise<boolean> {
  const socket = sessionSocket(stack);
  if (!fitsSocket(socket)) return false;
  const isOpen = lendings.has(socket);
  lendings.set(socket, { lending });
  if (isOpen) return true;
  const server = await listen(socket);
  if (server === undefined) {
    lendings.delete(socket);
    return false;
  }
  process.once("exit", () => fs.rmSync(socket, { force: true }));
  server.on("connection", (connection) => {
    connection.unref().on("error", () => {}); // that command has ended
    answer(socket, connection).catch(() => connection.destroy());
  });
  return true;
}

/** @returns undefined if another process that runs has this socket */
async function listen(socket: string): Promise<net.Server | undefined> {
  for (const isLast of [false, true]) {
    const server = net.createServer().unref();
    const isListening = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(socket, () => resolve(true));
    });
    if (isListening) return server;
    if (isLast || (await isAnswered(socket))) return undefined;
    fs.rmSync(socket, { force: true }); // of a process that was killed
  }
  return undefined;
}

function isAnswered(socket: string): Promise<boolean> {
  const connection = net.connect(socket);
  return new Promise((resolve) => {
    connection.once("connect", () => resolve(true));
    connection.once("error", () => resolve(false));
  }).finally(() => connection.destroy()) as Promise<boolean>;
}

async function answer(socket: string, connection: net.Socket): Promise<void> {
  const line = await readLine(connection);
  const current = lendings.get(socket);
  if (line === undefined || current === undefined) return void connection.destroy();
  const { url, environment } = JSON.parse(line) as SessionRequest;
  const { settings, expected, hosts } = current.lending;
  if (!hosts.has(new URL(url).host)) return void connection.end();
  const session: Session = { settings, expected: expected() };
  if (environment) current.helper ??= startHelper(`${socket}.${process.pid}`, session, environment);
  const helper = await current.helper;
  connection.end(`${JSON.stringify(helper === undefined ? session : { ...session, helper })}\n`);
}

/**
 * Starts the process that seals for all commands. It ends with this one: its standard input, which only this process
 * holds, ends then.
 * @returns undefined if it cannot be started: each command then works alone
 */
async function startHelper(socket: string, session: Session, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const child = spawn(process.execPath, [programFile(), "seal-helper"], { env, stdio: ["pipe", "pipe", "ignore"] });
  child.unref();
  const { stdin, stdout } = child as unknown as { stdin: net.Socket; stdout: net.Socket };
  for (const stream of [stdin, stdout]) stream.unref().on("error", () => {});
  const isThere = new Promise<boolean>((resolve) => {
    child.once("error", () => resolve(false));
    child.once("exit", () => resolve(false));
    stdout.once("data", () => resolve(true));
  });
  stdin.write(`${JSON.stringify({ ...session, helper: socket })}\n`);
  return (await isThere) ? socket : undefined;
}
