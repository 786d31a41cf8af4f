import { spawn } from "node:child_process";
import * as path from "node:path";
import type { LoopbackAzure } from "loopback-azure/azure";
import { lend } from "../../../components/azure/session/session";
import { sharedCommand } from "../../../components/config/project";
import { atOnce } from "../../../components/process/at-once";

/** Ways to seal some secrets, each from a file of its own: `secret-0`, `secret-1`... */
export interface SealWays {
  /** Plain `sops encrypt`, one process for each processor. */
  sops(indices: readonly number[]): Promise<void>;
  /** The same, and for each secret an empty program of Node: a command of Pulumi's cannot cost less. */
  sopsAndNode(indices: readonly number[]): Promise<void>;
  /** All that are declared, by one program: `npm run secrets -- reseal --all`. */
  reseal(): Promise<void>;
  /** As one `pulumi up`: a command a secret, as Pulumi starts it, its helper and its login included. */
  up(indices: readonly number[]): Promise<void>;
}

export interface SealBench {
  readonly azure: LoopbackAzure;
  readonly keyUrl: string;
  /** The project's folder: one file a secret, and what is sealed. */
  readonly folder: string;
  readonly stack: string;
}

const program = path.resolve("components/start/run.mjs");
const types = ["--filename-override", "secret.json", "--input-type", "binary", "--output-type", "json"];

export function sealWays({ azure, folder, keyUrl, stack }: SealBench): SealWays {
  const run = (command: string, words: readonly string[], more: NodeJS.ProcessEnv = {}) =>
    runChild(command, words, folder, { ...azure.workstation.env, ...more });
  const sops = (index: number) => {
    const output = path.join(folder, `sops-${index}.json`);
    return run("sops", ["encrypt", ...types, "--azure-kv", keyUrl, "--output", output, `secret-${index}`]);
  };
  const seal = (index: number) =>
    run("/bin/sh", ["-c", sharedCommand("seal")], {
      STACK: stack,
      SECRET: `secret-${index}`,
      SOURCE: JSON.stringify({ file: `secret-${index}` }),
      KIND: "",
      GENERATION: "1",
      FROM: "",
      FINGERPRINT: `file:${index}`,
      KEY_URL: keyUrl,
      RECIPIENTS: JSON.stringify({ age: [], pgp: [] }),
      EXPECTED_HOSTNAME: "",
    });
  return {
    async sops(indices) {
      await atOnce(indices, sops);
    },
    async sopsAndNode(indices) {
      await atOnce(indices, (index) => run(process.execPath, ["-e", "0"]).then(() => sops(index)));
    },
    reseal: () => run(process.execPath, [program, "secrets", "reseal", "--all", "--stack", stack]),
    async up(indices) {
      const home = process.cwd();
      process.chdir(folder); // this process is the Pulumi program: commands and helper find it by its folder
      try {
        await open(stack, azure, keyUrl);
        await Promise.all(indices.map(seal)); // Pulumi starts all commands that wait for nothing
      } finally {
        process.chdir(home);
      }
    },
  };
}

async function open(stack: string, azure: LoopbackAzure, keyUrl: string): Promise<void> {
  const { objectId, tenantId } = azure.workstation.principal;
  const hosts = new Set([new URL(keyUrl).host]);
  const isLent = await lend(stack, { settings: {}, expected: () => ({ objectId, tenantId }), hosts });
  if (!isLent) throw new Error("no session could be opened");
}

function runChild(program: string, words: readonly string[], cwd: string, environment: NodeJS.ProcessEnv) {
  const env = { PATH: process.env.PATH, HOME: cwd, ...environment };
  const child = spawn(program, words, { cwd, env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  return new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${path.basename(program)} ended with code ${code}: ${said}`));
    });
  });
}
