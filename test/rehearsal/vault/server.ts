import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { findOnPath } from "../../../components/process/find-program";
import { type RunningProcess, startProcess } from "./process";

/** A `vault`, or OpenBao's `bao` with its azure plugin, that is on PATH. */
export interface VaultProgram {
  file: string;
  flavour: "vault" | "openbao";
  /** The folder with the azure auth plugin: OpenBao has it outside. */
  pluginFolder?: string;
  /** How the auth method's type is called there. */
  authType: string;
}

/**
 * Finds a program that has the azure auth method. OpenBao's plugin is looked for in `BAO_PLUGIN_DIRECTORY`, else in
 * `plugins/` beside `bao`.
 * @returns the reason where there is none
 */
export function findVault(): VaultProgram | { missing: string } {
  const vault = findOnPath("vault");
  if (vault) return { file: vault, flavour: "vault", authType: "azure" };
  const bao = findOnPath("bao");
  if (!bao) return { missing: "neither vault nor bao is on PATH" };
  const pluginFolder = process.env.BAO_PLUGIN_DIRECTORY ?? path.join(path.dirname(fs.realpathSync(bao)), "plugins");
  const plugin =
    fs.existsSync(pluginFolder) && fs.readdirSync(pluginFolder).find((name) => name.includes("auth-azure"));
  if (!plugin) return { missing: `bao has no azure auth plugin in ${pluginFolder}: set BAO_PLUGIN_DIRECTORY` };
  return { file: bao, flavour: "openbao", pluginFolder, authType: plugin };
}

export interface VaultAnswer {
  status: number;
  body: { errors?: string[]; data?: Record<string, unknown>; auth?: { client_token: string } | null };
}

export interface VaultServer {
  address: string;
  /** A request with the root token, or with another token, or ("") with none. */
  ask(method: string, location: string, body?: object, token?: string): Promise<VaultAnswer>;
  close(): Promise<void>;
}

const READY_MS = 30_000;

/** Starts a dev server (all in memory, unsealed) as a process of the machine whose environment is given. */
export async function startVault(
  program: VaultProgram,
  machine: NodeJS.ProcessEnv,
  home: string,
): Promise<VaultServer> {
  const port = await freePort();
  const rootToken = randomBytes(18).toString("base64url");
  const plugins = program.pluginFolder ? [`-dev-plugin-dir=${program.pluginFolder}`] : [];
  const args = ["server", "-dev", "-dev-no-store-token", `-dev-listen-address=127.0.0.1:${port}`, ...plugins];
  const { PATH } = process.env;
  const dev = { VAULT_DEV_ROOT_TOKEN_ID: rootToken, BAO_DEV_ROOT_TOKEN_ID: rootToken };
  // The plugin is a process of its own, whose socket lies in the temporary folder.
  const environment = { PATH, HOME: home, TMPDIR: home, ...machine, ...dev };
  const running = startProcess(program.file, args, environment);
  const address = `http://127.0.0.1:${port}`;
  const server = { address, ask: asker(address, rootToken), close: running.close };
  try {
    await ready(server, running);
  } catch (error) {
    await running.close();
    throw error;
  }
  return server;
}

function asker(address: string, rootToken: string): VaultServer["ask"] {
  return async (method, location, body, token = rootToken) => {
    const headers = { "X-Vault-Request": "true", ...(token && { "X-Vault-Token": token }) };
    const init = { method, headers, body: body ? JSON.stringify(body) : null };
    const response = await fetch(`${address}/v1/${location}`, init);
    const text = await response.text();
    return { status: response.status, body: text ? JSON.parse(text) : {} };
  };
}

async function ready(server: VaultServer, running: RunningProcess): Promise<void> {
  const deadline = Date.now() + READY_MS;
  for (;;) {
    const health = await server.ask("GET", "sys/health", undefined, "").catch(() => undefined); // not listening yet
    if (health?.status === 200) return;
    if (running.hasEnded() || Date.now() > deadline) {
      throw new Error(`the dev server does not start: ${running.log()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
