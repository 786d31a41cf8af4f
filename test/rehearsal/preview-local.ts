import { Cleanup } from "./cleanup";
import { previewLocally } from "./engine/local-preview";
import { Steps } from "./steps";

async function main(): Promise<void> {
  const cleanup = new Cleanup();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void cleanup.run().finally(() => process.exit(130)));
  try {
    process.stdout.write(await previewLocally(cleanup, new Steps()));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  } finally {
    await cleanup.run();
  }
}

void main();
