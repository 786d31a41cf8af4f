import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { privateFolder } from "../../process/private-folder";
import type { ProviderSettings } from "../provider-settings";
import type { ExpectedPrincipal } from "../token-source";

/** As whom a command acts. Settings may hold secrets: they are in memory, on a socket and in a pipe only. */
export interface Session {
  readonly settings: ProviderSettings;
  readonly expected: ExpectedPrincipal | undefined;
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

/** A link to that socket, in the project's folder: where `start/run.sh` looks, as a shell takes no digests. */
export function sessionLink(stack: string): string {
  return path.join(".cache", "up", stack);
}

/** A longer name is no socket's: sun_path holds 104 bytes on macOS. */
export function fitsSocket(socket: string): boolean {
  return Buffer.byteLength(socket) <= 103;
}
