import { runChild } from "../../process/child-process";

/**
 * The terminal that this process belongs to, for programs that ask there by themselves (gpg's agent), or undefined.
 * Under Pulumi no standard stream is a terminal, but the session still has one.
 */
export async function terminalPath(): Promise<string | undefined> {
  const { code, stdout } = await runChild("ps", ["-o", "tty=", "-p", String(process.pid)]);
  const name = stdout.toString().trim();
  return code === 0 && /^[a-z0-9/]+$/i.test(name) ? `/dev/${name}` : undefined;
}
