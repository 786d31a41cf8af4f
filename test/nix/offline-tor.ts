import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

/**
 * Starts the real tor, its network off, with an onion service's folder as the guest's has it.
 * @param directory for its torrc and data
 * @param settings lines of the torrc besides
 * @returns whether it came to serve (it is ended then), and what it said
 */
export function startOfflineTor(
  directory: string,
  folder: string,
  settings: readonly string[] = [],
): Promise<{ serves: boolean; said: string }> {
  const torrc = path.join(directory, "torrc");
  const own = [`DataDirectory ${directory}/data`, "SocksPort 0", "DisableNetwork 1"];
  const service = [`HiddenServiceDir ${folder}`, "HiddenServicePort 80 127.0.0.1:80"];
  fs.writeFileSync(torrc, `${[...own, ...service, ...settings].join("\n")}\n`);
  const tor = spawn("tor", ["-f", torrc, "--defaults-torrc", "/dev/null"], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  tor.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const look = setInterval(() => {
    if (fs.existsSync(path.join(folder, "hostname"))) tor.kill("SIGKILL");
  }, 50);
  return new Promise((resolve) => {
    tor.once("close", (_code, signal) => {
      clearInterval(look);
      resolve({ serves: signal === "SIGKILL", said });
    });
  });
}
