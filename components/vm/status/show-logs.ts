import { UsageError } from "../../process/usage-error";
import { openLogs } from "./open-logs";
import type { StatusReader } from "./read-status";
import type { StatusOptions } from "./status-words";

/** @throws UsageError where what is asked besides is no journal */
export function checkLogsAlone({ json, logs, probe, prometheus, watch }: StatusOptions): void {
  const others = Object.entries({ json, probe, prometheus, watch }).filter(([, given]) => given);
  const [other] = others.map(([name]) => name);
  if (logs && other !== undefined) throw new UsageError(`--logs and --${other} exclude each other: leave one out`);
}

/**
 * Prints the journals of these machines, under a machine's name each where there are several.
 * @throws where none of them has handed one out, with what to type
 */
export async function showLogs(reader: StatusReader, stack: string, machines: readonly string[]): Promise<number> {
  let shown = 0;
  for (const machine of machines) {
    const sealed = await reader.logs(machine);
    if (sealed === undefined) continue;
    const text = await openLogs(sealed, process.env);
    if (machines.length > 1) console.log(`==> ${machine}`);
    process.stdout.write(text);
    shown++;
  }
  if (shown > 0) return 0;
  const dial = "pulumi config set --path 'sealed-onion:logs.units[0]' tor.service";
  throw new Error(`no machine of ${stack} has handed out logs: type ${dial}, then pulumi up`);
}
