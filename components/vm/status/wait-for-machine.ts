import { required, requiredUrl } from "../../process/environment";
import { interruption } from "../../process/interruption";
import { pause } from "../../process/pause";
import { UsageError } from "../../process/usage-error";
import { type StatusReader, statusReader } from "./read-status";

const POLL_MS = 1_000;

/** What a machine is seen to be. */
export interface Seen<T> {
  /** What is missing yet. Undefined: nothing. */
  readonly problem?: string | undefined;
  /** Waiting would not help. */
  readonly isFinal?: boolean | undefined;
  /** What is said where nothing is missing, and not all is well. */
  readonly warning?: string | undefined;
  /** What stands all the same, where that is otherwise than {@link Wait.safe} says. */
  readonly safe?: string | undefined;
  /** What is said of the machine once nothing is missing. */
  readonly found: T;
}

export interface Wait<T> {
  readonly look: (reader: StatusReader, machine: string) => Promise<Seen<T>>;
  /** What the machine does not do, for people: `does not serve`. */
  readonly missing: string;
  /** What stands all the same, for people: `the machine before it stays`. */
  readonly safe: string;
}

/**
 * Waits until nothing is missing of a machine. Parameters come in the environment: CONTAINER_URL, MACHINE (the VM's name)
 * and PATIENCE (seconds). One JSON line on standard output, `machine` and what was found; a line on standard error for
 * each change of what is missing.
 * @throws UsageError where the environment is incomplete
 * @throws with what is missing where that is final, or the patience is over
 */
export async function waitForMachine<T extends object>({ look, missing, safe }: Wait<T>): Promise<void> {
  const machine = required(process.env, "MACHINE");
  const patienceMs = Number(required(process.env, "PATIENCE")) * 1000;
  if (!(patienceMs > 0)) throw new UsageError(`PATIENCE must be seconds, got "${process.env.PATIENCE}"`);
  const signal = interruption();
  const reader = await statusReader(requiredUrl(process.env, "CONTAINER_URL"), signal);
  const started = Date.now();
  for (let said = ""; ; await pause(POLL_MS, signal)) {
    const { found, isFinal, problem, safe: stands = safe, warning } = await look(reader, machine);
    if (problem === undefined && warning !== undefined) console.error(`warning: ${warning}; type npm run status`);
    if (problem === undefined) return console.log(JSON.stringify({ machine, ...found }));
    if (isFinal) throw new Error(`${machine} ${problem}: ${stands}; type npm run status`);
    if (problem !== said) console.error(`waiting: ${problem}`);
    said = problem;
    if (Date.now() - started <= patienceMs) continue;
    const minutes = Math.round(patienceMs / 60_000);
    throw new Error(`${machine} ${missing} after ${minutes} minutes: ${problem}: ${stands}; type npm run status`);
  }
}
