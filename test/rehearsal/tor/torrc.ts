import type { TorSettings } from "../guest/evaluated";

/** Options whose values NixOS's tor module writes on one line. */
const ONE_LINE = new Set(["AutomapHostsSuffixes", "DirPolicy", "ExitPolicy", "SocksPolicy"]);

/** What a tor that is rehearsed has of its own: its folder, its control socket, and no half minute until it ends. */
const MOVED = new Set(["ControlPort", "DataDirectory", "ShutdownWaitLength"]);

/** Settings as lines of a torrc, as NixOS's tor module writes them. */
export function torrcLines(settings: TorSettings): string[] {
  return Object.entries(settings)
    .filter(([option]) => !MOVED.has(option))
    .flatMap(([option, value]) => {
      const values = [value].flat().map((one) => (typeof one === "boolean" ? Number(one) : one));
      return ONE_LINE.has(option) ? `${option} ${values.join(",")}` : values.map((one) => `${option} ${one}`);
    });
}
