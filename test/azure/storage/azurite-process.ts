import { type ChildProcess, spawn } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

/** Azurite's blob service for one storage account, in a process of its own. */
export interface AzuriteProcess {
  port: number;
  pid: number;
  /** Where it keeps its blobs. */
  directory: string;
  /** Base64 HMAC-SHA256 under the account's key, which nobody else knows. */
  sign(stringToSign: string): string;
  close(): Promise<void>;
}

const START_DEADLINE_MS = 30_000;
/** Ends Azurite when we are gone, however we went. */
const END_WITH_PARENT = `data:text/javascript,${encodeURIComponent('process.once("disconnect", () => process.exit(0));')}`;

function azuriteProgram(): string {
  return path.join(path.dirname(require.resolve("azurite/package.json")), "dist/src/blob/main.js");
}

function start(account: string, key: string, directory: string): ChildProcess {
  const flags = ["--blobHost", "127.0.0.1", "--blobPort", "0", "--location", directory];
  const modes = ["--silent", "--disableTelemetry", "--skipApiVersionCheck", "--loose"];
  // No proxy, no certificate of ours: it has nobody to talk to.
  const { PATH, HOME, TMPDIR } = process.env;
  return spawn(process.execPath, ["--import", END_WITH_PARENT, azuriteProgram(), ...flags, ...modes], {
    env: { PATH, HOME, TMPDIR, AZURITE_ACCOUNTS: `${account}:${key}` },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
}

/** Waits for the line that names the port. */
function portOf(child: ChildProcess, account: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let output = "";
    const fail = (why: string) => reject(new Error(`azurite for account ${account} ${why}: ${output.trim()}`));
    const timer = setTimeout(() => fail(`did not start within ${START_DEADLINE_MS / 1000} s`), START_DEADLINE_MS);
    const read = (chunk: Buffer) => {
      output = (output + chunk.toString("utf8")).slice(-4000);
      const port = /successfully listens on http:\/\/127\.0\.0\.1:(\d+)/.exec(output)?.[1];
      if (port !== undefined) {
        clearTimeout(timer);
        resolve(Number(port));
      }
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("error", (error) => fail(error.message));
    child.once("exit", (code, signal) => {
      clearTimeout(timer);
      fail(`ended (${signal ?? code})`);
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL"); // its data is thrown away: there is nothing to save
  await ended;
}

/** @param parentDirectory where a folder for its data is made */
export async function startAzurite(account: string, parentDirectory: string): Promise<AzuriteProcess> {
  const directory = fs.mkdtempSync(path.join(parentDirectory, `${account}-`));
  const key = randomBytes(64);
  const child = start(account, key.toString("base64"), directory);
  try {
    const port = await portOf(child, account);
    return {
      port,
      pid: child.pid ?? 0,
      directory,
      sign: (text) => createHmac("sha256", key).update(text, "utf8").digest("base64"),
      close: () => end(child),
    };
  } catch (error) {
    await end(child);
    throw error;
  }
}
