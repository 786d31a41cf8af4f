// What holds for each process of ours before it reads a secret.
const { writeFileSync } = require("node:fs");
const { isMainThread } = require("node:worker_threads");

/**
 * What it writes, nobody else may change, whatever the umask of who started it: `.cache/` holds the program that is run
 * next. And no part of its memory goes into a core file, nor that of a program that it starts: Linux inherits this, and it
 * holds for a core that is piped to a collector as well. Elsewhere there is no such switch; macOS writes no core unless
 * `ulimit -c` was raised.
 */
exports.guardProcess = function guardProcess() {
  if (!isMainThread) return; // a thread is in a process that is guarded
  process.umask(process.umask() | 0o022);
  try {
    writeFileSync("/proc/self/coredump_filter", "0");
  } catch {} // not Linux, or a sandbox that shows /proc read-only
};
