import * as fs from "node:fs";
import * as http from "node:http";
import * as net from "node:net";
import * as path from "node:path";
import { text } from "node:stream/consumers";
import { programFile } from "../../config/project";
import type { ProviderSettings } from "../provider-settings";
import type { ExpectedPrincipal } from "../token-source";
import { type Asked, readAsked } from "./asked";
import { type Helper, startHelper } from "./session-helper";
import { fitsSocket, type Session, sessionLink, sessionSocket } from "./session-socket";

/** What a program lends its commands while it runs. */
export interface Lending {
  readonly settings: ProviderSettings;
  /** Whom the provider acts as; undefined as long as that is not known. */
  readonly expected: () => ExpectedPrincipal | undefined;
  /** Hosts of this deployment: another run in the same folder has others, and gets no answer. */
  readonly hosts: ReadonlySet<string>;
}

interface Open {
  readonly lending: Lending;
  readonly startHelper: (session: Session, first: Asked) => Helper;
  helper?: Helper;
}

/** In Pulumi's runtime a program may run twice in one process: the later run is the one that counts. */
const sessions = new Map<string, Open>();

/**
 * Answers the commands of this run, for as long as this process lives, without keeping it alive.
 * @returns whether commands can reach it
 */
export async function lend(stack: string, lending: Lending): Promise<boolean> {
  const socket = sessionSocket(stack);
  if (!fitsSocket(socket)) return false;
  const isOpen = sessions.has(socket);
  const folder = process.cwd();
  const words = [programFile(), "seal-helper"];
  sessions.set(socket, { lending, startHelper: (session, first) => startHelper(words, folder, session, first) });
  if (isOpen) return true;
  const server = await listen(socket);
  if (server === undefined) {
    sessions.delete(socket);
    return false;
  }
  const link = linkTo(socket, path.resolve(sessionLink(stack)));
  process.once("exit", () => {
    for (const file of [socket, ...link]) fs.rmSync(file, { force: true });
  });
  return true;
}

/** @returns undefined if another process that runs has this socket */
async function listen(socket: string): Promise<http.Server | undefined> {
  for (const isLast of [false, true]) {
    const server = http.createServer((request, response) => {
      answer(socket, request, response).catch(() => response.destroy());
    });
    server.unref().on("connection", (connection) => connection.unref());
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

/** @returns the link, where one could be made: without it commands find the socket by its own name, by Node */
function linkTo(socket: string, link: string): string[] {
  try {
    fs.mkdirSync(path.dirname(link), { recursive: true });
    fs.rmSync(link, { force: true });
    fs.symlinkSync(socket, link);
    return [link];
  } catch {
    return [];
  }
}

async function answer(socket: string, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const body = await text(request);
  const session = sessions.get(socket);
  if (session && request.url === "/session") sayWho(session, body, response);
  else if (session && request.url === "/seal") await haveSealed(session, body, response);
  response.end();
}

function sayWho({ lending }: Open, url: string, response: http.ServerResponse): void {
  if (isOwn(lending, url)) response.write(JSON.stringify(sessionOf(lending)));
}

function isOwn({ hosts }: Lending, url: string): boolean {
  return URL.canParse(url) && hosts.has(new URL(url).host);
}

function sessionOf({ settings, expected }: Lending): Session {
  return { settings, expected: expected() };
}

/** What the helper says goes to the command as it is; a command that gets nothing works alone. */
async function haveSealed(session: Open, body: string, response: http.ServerResponse): Promise<void> {
  const asked = readAsked(body);
  if (!asked || !isOwn(session.lending, asked.environment.KEY_URL ?? "")) return;
  session.helper ??= session.startHelper(sessionOf(session.lending), asked);
  await session.helper.ask(asked, (line) => response.write(`${line}\n`));
}
