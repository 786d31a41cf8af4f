import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { runChild } from "../../process/child-process";
import { findOnPath } from "../../process/find-program";
import { UsageError } from "../../process/usage-error";

/** What a visitor of an address gets. */
export interface Probe {
  readonly hostname: string;
  /** Until the answer. */
  readonly seconds: number;
  /** Undefined: something answered, whatever its HTTP status. */
  readonly problem?: string;
}

const BOOTSTRAP_MS = 120_000;
const FETCH_SECONDS = 90;
/** Tor refuses longer ones; see unix(7). */
const SOCKET = "socks";

/**
 * Fetches `http://HOSTNAME/` of each over a tor of its own, which leaves nothing behind.
 * @throws UsageError where tor or curl is not on PATH
 */
export async function probe(hostnames: readonly string[], torrc: readonly string[] = []): Promise<Probe[]> {
  const missing = ["tor", "curl"].filter((program) => findOnPath(program) === undefined);
  if (missing.length > 0) throw new UsageError(`--probe needs ${missing.join(" and ")} on PATH`);
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "probe-"));
  const socket = path.join(directory, SOCKET);
  const own = ["--DataDirectory", directory, "--SocksPort", `unix:${socket}`, "--Log", "notice stdout"];
  const tor = spawn(
    "tor",
    ["--defaults-torrc", "/dev/null", "-f", "/dev/null", "--ignore-missing-torrc", ...own, ...torrc],
    {
      stdio: ["ignore", "pipe", "ignore"],
    },
  );
  const gone = new Promise<void>((resolve) => tor.once("close", () => resolve()));
  try {
    await bootstrapped(tor.stdout, gone);
    return await Promise.all(hostnames.map((hostname) => fetchOver(socket, hostname)));
  } finally {
    tor.kill("SIGTERM");
    await gone;
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

function bootstrapped(log: NodeJS.ReadableStream, gone: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error("tor does not reach its network: is the way out open?")),
      BOOTSTRAP_MS,
    );
    let said = "";
    log.on("data", (chunk: Buffer) => {
      said = `${said}${chunk}`.slice(-4096);
      if (!said.includes("Bootstrapped 100%")) return;
      clearTimeout(timer);
      resolve();
    });
    void gone.then(() => {
      clearTimeout(timer);
      reject(new Error(`tor ended: ${said.trim().split("\n").at(-1)}`));
    });
  });
}

async function fetchOver(socket: string, hostname: string): Promise<Probe> {
  const started = performance.now();
  const way = ["--proxy", `socks5h://localhost${socket}`, "--max-time", `${FETCH_SECONDS}`];
  const { code } = await runChild("curl", ["--silent", "--output", "/dev/null", ...way, `http://${hostname}/`], {});
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  if (code === 0) return { hostname, seconds };
  return {
    hostname,
    seconds,
    problem: `${hostname} does not answer over Tor (curl ends with ${code} after ${seconds} s)`,
  };
}
