/** What the operating system refuses, in words, by its code. */
const REFUSALS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full: free some space",
  EDQUOT: "your quota of the disk is used up: free some space",
  EROFS: "the file system is read-only: mount it for writing",
  EACCES: "permission denied: look at its owner and mode",
  EPERM: "permission denied: look at its owner and mode",
  ENOENT: "there is no such file or folder: look at its path",
  ENOTDIR: "a part of its path is no folder: move that file away",
  EISDIR: "it is a folder: move it away, or name a file",
  ENAMETOOLONG: "the name is too long: shorten it",
  ELOOP: "its links lead in a circle: remove one",
  EMFILE: "too many files are open: raise ulimit -n",
  ENFILE: "too many files are open on this machine: end some programs",
  ENOMEM: "there is not enough memory: end some programs",
  EAGAIN: "there are too many processes: end some programs",
  E2BIG: "the environment is too large: unset what is not needed",
  EIO: "the device has an error: look at dmesg",
  EBUSY: "it is in use: end what uses it",
  ETXTBSY: "it is in use: end what uses it",
  EADDRINUSE: "the address is in use: end what uses it",
  ENOEXEC: "it is no program for this machine: install it again",
  ECONNREFUSED: "nothing answers there: check the network and the proxy variables",
  ECONNABORTED: "the answer ended early",
  ECONNRESET: "the connection was reset",
  ENOTFOUND: "the name is not known: check the network and the proxy variables",
  EAI_AGAIN: "names cannot be resolved: check the network",
  ETIMEDOUT: "nothing answers in time: check the network and the proxy variables",
  EHOSTUNREACH: "there is no way to it: check the network",
  ENETUNREACH: "there is no way to it: check the network",
  EFBIG: "the file would be larger than is allowed: raise ulimit -f",
  EINTR: "it was interrupted: try again",
  ENXIO: "it is a socket, or a device that is not there: name a file",
  ENODEV: "it is a device that is not there: name a file",
  ESTALE: "the network folder it is in is gone: mount it again",
  EPIPE: "what reads it has ended: run it again",
};

/** What is done, by the call that does it. */
const ACTIONS: readonly (readonly [RegExp, string])[] = [
  [/^(open|read|stat|lstat|fstat|access|scandir|opendir|readlink|statfs|realpath)$/, "read"],
  [/^(connect|getaddrinfo|getaddrinfo.*)$/, "reach"],
  [/^spawn/, "start"],
  [/^listen$/, "listen at"],
  [/^(unlink|rmdir|rm)$/, "remove"],
  [/^(rename|link|copyfile|symlink)$/, "move"],
];

/** Why the operating system refused something, with what helps; undefined for other errors. */
export function refusalOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code === undefined ? undefined : REFUSALS[code];
}

/**
 * What a person reads of an error: its own words where somebody wrote them for people, else what the operating system
 * means by its code. A mistake of this program is called one: SEALED_ONION_TRACE=1 shows where it happened.
 */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return `it failed: ${String(error)}`;
  const { code, syscall, path, address } = error as NodeJS.ErrnoException & { address?: string };
  if (code !== undefined && syscall !== undefined) {
    const action = ACTIONS.find(([call]) => call.test(syscall))?.[1] ?? "write";
    const what = `cannot ${action} ${path ?? address ?? "what it needs"}`;
    return `${what}, ${refusalOf(error) ?? `the system says ${code.toLowerCase().slice(1)}: try again`}`;
  }
  if (error.cause !== undefined && error.message === "fetch failed") return wordsOf(error.cause);
  if (!isMistake(error)) return error.message;
  if (process.env.SEALED_ONION_TRACE) return error.stack ?? error.message;
  const [said = ""] = error.message.split("\n", 1);
  return `a mistake of this program (${error.name}, ${said}): please report it, with what SEALED_ONION_TRACE=1 shows`;
}

function isMistake(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  const kinds = [TypeError, RangeError, ReferenceError, SyntaxError, EvalError, URIError];
  return kinds.some((kind) => error instanceof kind) || /^ERR_/.test(code ?? "");
}
