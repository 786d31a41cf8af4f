import type { BenchFiles } from "./contenders";
import { ours } from "./contenders";
import { measuredRun } from "./measured-run";
import type { BenchStore } from "./store";

/**
 * Kills an upload (kill -9) when a part of its data is stored, goes on, and tells which share of the data was sent
 * twice.
 */
export async function resentShare(files: BenchFiles, store: BenchStore, part: number, bytes: number): Promise<number> {
  const blob = `killed-${part}.vhd`;
  const before = store.storedBytes();
  const command = ours.command(files, store, blob);
  const environment = ours.environment(files, store, blob);
  await measuredRun(command, environment, (child) => {
    const watch = setInterval(() => {
      if (store.storedBytes() - before < part * bytes) return;
      clearInterval(watch);
      child.kill("SIGKILL");
    }, 5);
    child.once("close", () => clearInterval(watch));
  });
  const { code, output } = await measuredRun(command, environment);
  if (code !== 0) throw new Error(`the upload did not go on: ${output}`);
  return (store.storedBytes() - before - bytes) / bytes;
}
