import { createHash } from "node:crypto";
import * as fs from "node:fs";
import type * as net from "node:net";
import * as path from "node:path";
import { privateFolder } from "../../process/private-folder";
import type { ProviderSettings } from "../provider-settings";
import type { ExpectedPrincipal } from "../token-source";

/** What a command asks the Pulumi program that it runs for. One line of JSON, as is the answer. */
export interface SessionRequest {
  /** Where the command is going to act: the URL of a key or of a blob. */
  readonly url: string;
  /** The environment that a helper is to have; without it none is asked for. */
  readonly environment?: NodeJS.ProcessEnv;
}

/** As whom a command acts. Settings may hold secrets: they are in memory and on this socket only. */
export interface Session {
  readonly settings: ProviderSettings;
  readonly expected: ExpectedPrincipal | undefined;
  /** The socket of the process that does the work of all such commands of this run. */
  readonly helper?: string;
}

/**
 * Where a program and its commands meet: they share a folder and a stack, and have no ancestor of their own that could
 * hand anything over but Pulumi.
 */
export function sessionSocket(stack: string): string {
  const meeting = JSON.stringify([fs.realpathSync("."), stack]);
  const name = createHash("sha256").update(meeting).digest("hex").slice(0, 24);
  return path.join(privateFolder(), `${name}.up`);
}

/** A longer name is no socket's: sun_path holds 104 bytes on macOS. */
export function fitsSocket(socket: string): boolean {
  return Buffer.byteLength(socket) <= 103;
}

/** One line, without its end; undefined if the connection ends before. */
export function readLine(connection: net.Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = "";
    const end = (line: string | undefined) => {
      connection.off("data", take);
      resolve(line);
    };
    const take = (chunk: Buffer | string) => {
      text += chunk;
      const at = text.indexOf("\n");
      if (at >= 0) end(text.slice(0, at));
    };
    connection.setEncoding("utf8").on("data", take);
    connection.once("error", () => end(undefined));
    connection.once("close", () => end(undefined));
  });
}
