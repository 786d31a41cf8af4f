import { spawn } from "node:child_process";
import { expect, it } from "vitest";
import { ProcessSampler } from "./process-sampler";

it.skipIf(process.platform !== "linux")(
  "sees what a process was started with, and what starts in its place (skipped elsewhere: no /proc)",
  async () => {
    const sampler = new ProcessSampler();
    const [first, second] = [`first-${process.pid}`, `second-${process.pid}`];
    const child = spawn("sh", ["-c", `read line; exec env PLACE=${second}x cat`], {
      env: { ...process.env, FIRST: first },
    });
    try {
      await expect.poll(() => sampler.text().toString()).toContain(`FIRST=${first}\0`);
      child.stdin.write("\n");
      await expect.poll(() => sampler.text().toString()).toContain(`PLACE=${second}x\0`);
    } finally {
      child.kill("SIGKILL");
      sampler.close();
    }
  },
);
