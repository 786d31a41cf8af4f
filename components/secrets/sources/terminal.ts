import { runChild } from "../../process/child-process";
import { ProgramMissing } from "../../process/find-program";
import { readIfThere } from "../../process/read-if-there";

/**
 * The terminal that this process belongs to, for programs that ask there by themselves (gpg's agent), or undefined.
 * Under Pulumi no standard stream is a terminal, but the session still has one.
 */
export async function terminalPath(): Promise<string | undefined> {
  const stat = readIfThere("/proc/self/stat");
  if (stat) return linuxTerminal(stat.toString("latin1"));
  try {
    const { code, stdout } = await runChild("ps", ["-o", "tty=", "-p", String(process.pid)]);
    const name = stdout.toString().trim();
    return code === 0 && /^[a-z0-9/]+$/i.test(name) ? `/dev/${name}` : undefined;
  } catch (error) {
    if (error instanceof ProgramMissing) return undefined;
    throw error;
  }
}

/** Field 7 of proc(5) is the terminal's device number: pseudo-terminals have majors 136 to 143, consoles 4. */
export function linuxTerminal(stat: string): string | undefined {
  const device = Number(stat.replace(/^.*\) /s, "").split(" ")[4]);
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  if (major >= 136 && major <= 143) return `/dev/pts/${(major - 136) * 256 + minor}`;
  return major === 4 && minor > 0 ? `/dev/tty${minor}` : undefined;
}
