// What holds for each process of ours before it reads a secret.
const { writeFileSync } = require("node:fs");

/**
 * What it writes, nobody else may change, whatever the umask of who started it: `.cache/` holds the program that is run
 * next. And no part of its memory goes into a core file, nor that of a program that it starts: Linux inherits this, and it
 * holds for a core that is piped to a collector as well. Elsewhere there is no such switch; macOS writes no core unless
 * `ulimit -c` was raised.
 */
exports.guardProcess = function guardProcess() {
  try {
    process.umask(process.umask() | 0o022);
  } catch {
    return; // a thread may not, and is in a process that is guarded; node:worker_threads would take time to load
  }
  try {
    writeFileSync("/proc/self/coredump_filter", "0");
  } catch {} // not Linux, or a sandbox that shows /proc read-only
};
