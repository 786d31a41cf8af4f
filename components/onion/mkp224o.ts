import { runChild } from "../process/child-process";
import { onionHostname } from "./hostname";
import { type OnionKey, parseOnionKey, wipeOnionKey } from "./keys";
import { checkFeasible, type VanityProgress, vanityProgress } from "./vanity-estimate";
import { expectedTries } from "./vanity-prefix";

export interface Mkp224oOptions {
  /** The program. @default "mkp224o", from PATH */
  program?: string | undefined;
  /** The longest time that a search may be expected to take, in milliseconds. */
  limitMs: number;
  /** Called once a second, with what is expected at the speed measured before; keys are an estimate. */
  onProgress?: ((progress: VanityProgress) => void) | undefined;
}

/** Below this number of tries a search is over sooner than a measurement. */
const WORTH_MEASURING = 32 ** 5;
/** A prefix that is not found while the speed is measured. */
const OUT_OF_REACH = "aaaaaaaaaaaa";
const REMEDY = "take mkp224o off PATH to search without it";

/**
 * Has mkp224o look for a key. It writes the key as YAML (-y) to a pipe, and so to no file system at all: not to its
 * usual folder, and nothing is left behind if it is killed.
 * @throws if the prefix is out of reach, or if mkp224o fails or gives something else than a key with the prefix
 */
export async function searchWithMkp224o(prefix: string, options: Mkp224oOptions): Promise<OnionKey> {
  const { program = "mkp224o", limitMs, onProgress } = options;
  let timer: NodeJS.Timeout | undefined;
  if (expectedTries(prefix) > WORTH_MEASURING) {
    const speed = await measureMkp224o(program);
    checkFeasible(prefix, speed, limitMs);
    const began = performance.now();
    timer = setInterval(() => {
      const elapsedMs = performance.now() - began;
      onProgress?.(vanityProgress(prefix, (speed * elapsedMs) / 1000, speed, elapsedMs));
    }, 1000);
  }
  try {
    const { code, signal, stdout, stderr } = await runChild(program, ["-n", "1", "-y", prefix]);
    if (code !== 0)
      throw new Error(`mkp224o ended with ${signal ?? `exit code ${code}`}: ${lastLine(stderr)}: ${REMEDY}`);
    return await keyOf(stdout, prefix).finally(() => stdout.fill(0));
  } finally {
    clearInterval(timer);
  }
}

/** The keys a second that mkp224o looks at, by its own count. Takes two to three seconds. @param threads @default all */
export async function measureMkp224o(program = "mkp224o", threads?: number): Promise<number> {
  const limit = threads === undefined ? [] : ["-t", String(threads)];
  const { stderr } = await runChild(program, ["-s", "-S", "1", "-y", ...limit, OUT_OF_REACH], { deadlineMs: 2_600 });
  // The first figure is of a tenth of a second; each later one is of the second before it.
  const speeds = [...stderr.matchAll(/calc\/sec:([\d.]+)/g)].slice(1).map(([, speed]) => Number(speed));
  if (speeds.length === 0) throw new Error(`mkp224o does not tell its speed: ${lastLine(stderr)}: ${REMEDY}`);
  return speeds.reduce((sum, speed) => sum + speed, 0) / speeds.length;
}

async function keyOf(yaml: Buffer, prefix: string): Promise<OnionKey> {
  const key = await parseOnionKey(yaml);
  if (onionHostname(key.publicKey).startsWith(prefix)) return key;
  wipeOnionKey(key);
  throw new Error(`mkp224o gave a key whose hostname does not start with ${prefix}: ${REMEDY}`);
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}
