import { availableParallelism } from "node:os";
import { lendToken } from "../../azure/token-endpoint";
import { type ChildResult, runChild } from "../../process/child-process";
import { ProgramMissing } from "../../process/find-program";
import { backoffMs, pause } from "../../process/pause";
import { howToInstall } from "../../process/tools";
import { createTurns } from "../../process/turns";
import { personal, sealingProblem, vaultLogin } from "../vault-login";
import type { SopsFailure } from "./failure";
import { explainFailure } from "./sops-failure";
import { oldVersion } from "./sops-version";

export interface SopsOptions {
  /** How long passing failures are tried again, in all. Milliseconds. @default 120 s, or SEAL_PATIENCE_SECONDS */
  readonly patienceMs?: number;
  /** How often it is tried at most. @default as often as patience lasts */
  readonly attempts?: number;
  /** A variable that holds a secret (an `env` source): sops does not get it. */
  readonly withheld?: string | undefined;
  /** The vault that a file is sealed for is not the stack's any more, and may be gone: a key that is given is asked first. */
  readonly isVaultFormer?: boolean;
}

/** sops could not seal or open; the message has the reason and the remedy. */
export class SopsError extends Error {
  constructor(
    what: string,
    readonly failure: SopsFailure,
  ) {
    super(`cannot ${what}: ${failure.reason}: ${failure.remedy}`);
  }
}

/** What sops does, for people, and the programs that it starts for it. */
export interface Task {
  readonly what: "seal" | "open" | "open what was just sealed";
  readonly helpers: readonly string[];
}

/** One call takes a second or two: more than this is a vault that does not answer. */
const CALL_LIMIT_MS = 45_000;

/**
 * What sops, gpg, age's plugins and their networks need of the environment. Nothing else is handed on: any variable may be
 * the source of a secret, this one's or another's. The user's own settings for other uses of sops must neither add nor
 * choose recipients, and no login but the token that is lent must be found (see `lendToken`).
 */
const FOR_SOPS = new RegExp(
  `^(${[
    "PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TEMP|TMP|LANG|LANGUAGE|LC_[A-Z]+|TZ|TERM",
    "DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|DBUS_SESSION_BUS_ADDRESS|XDG_[A-Z_]+|GNUPGHOME|GPG_TTY|PINENTRY_USER_DATA|SSH_AUTH_SOCK",
    "SSL_CERT_FILE|SSL_CERT_DIR|NIX_SSL_CERT_FILE|(HTTPS?|NO|ALL)_PROXY|(https?|no|all)_proxy",
    "SOPS_AGE_(KEY|KEY_FILE|KEY_CMD|SSH_PRIVATE_KEY_FILE|SSH_PRIVATE_KEY_CMD)|SOPS_GPG_EXEC|LD_LIBRARY_PATH|DYLD_[A-Z_]+",
  ].join("|")})$`,
);

/**
 * Runs sops with a token of the principal that acts, until it has done what is asked of it or there is no point in trying again.
 * @returns what it prints
 * @throws SopsError
 */
export async function runSops(
  task: Task,
  sopsArguments: string[],
  input: Uint8Array,
  options: SopsOptions = {},
): Promise<Buffer> {
  const { what } = task;
  const patienceMs = options.patienceMs ?? defaultPatience();
  const sealsWith = sealingKey(sopsArguments);
  const login = await vaultLogin(sealsWith, what === "seal" ? undefined : input, patienceMs).catch((error: Error) => {
    throw new Error(`cannot ${what}: ${error.message}`);
  });
  const problem = sealsWith && (await sealingProblem(sealsWith, login));
  if (problem) throw new SopsError(what, personal({ ...problem, passing: false }, login));
  return lendToken(login.token, login.resource, async (lent) => {
    const environment = { ...sopsEnvironment(options), ...lent };
    try {
      return await runPatiently(task, sopsArguments, input, environment, { ...options, patienceMs });
    } catch (error) {
      throw error instanceof SopsError ? new SopsError(what, personal(error.failure, login)) : error;
    }
  });
}

function sealingKey(sopsArguments: string[]): string | undefined {
  const flag = sopsArguments.findIndex((argument) => /^--(add-)?azure-kv$/.test(argument));
  return flag < 0 ? undefined : sopsArguments[flag + 1];
}

async function runPatiently(
  { what, helpers }: Task,
  sopsArguments: string[],
  input: Uint8Array,
  environment: NodeJS.ProcessEnv,
  { patienceMs = defaultPatience(), attempts = Number.POSITIVE_INFINITY }: SopsOptions,
): Promise<Buffer> {
  const giveUpAt = Date.now() + patienceMs;
  let lastReason = "";
  for (let attempt = 1; ; attempt++) {
    const limit = Math.max(1000, Math.min(CALL_LIMIT_MS, giveUpAt - Date.now()));
    const started = ["--config", "/dev/null", ...sopsArguments];
    const result = await turns(() => startSops(started, input, environment, limit));
    if (result.code === 0) return result.stdout;
    result.stdout.fill(0);
    const failure = explainFailure(result, { plaintext: what === "seal" ? input : undefined, helpers });
    const pauseMs = Math.max(backoffMs(attempt), failure.waitMs ?? 0);
    const isLast = attempt >= attempts || Date.now() + pauseMs > giveUpAt;
    if (!failure.passing) throw new SopsError(what, (failure.unexplained && oldVersion(environment)) || failure);
    if (isLast) throw new SopsError(what, failure);
    const left = Math.ceil((giveUpAt - Date.now()) / 1000);
    if (failure.reason !== lastReason) console.error(`${failure.reason}; trying again for up to ${left} s`);
    lastReason = failure.reason;
    await pause(pauseMs);
  }
}

/** One process seals for many: no more run at once than there are processors. */
const turns = createTurns(availableParallelism());

function startSops(
  sopsArguments: string[],
  input: Uint8Array,
  environment: NodeJS.ProcessEnv,
  deadlineMs: number,
): Promise<ChildResult> {
  try {
    return runChild("sops", [...sopsArguments, "/dev/stdin"], { input, environment, deadlineMs });
  } catch (error) {
    if (!(error instanceof ProgramMissing)) throw error;
    throw new Error(`sops is not on PATH: ${howToInstall("sops")}`);
  }
}

function sopsEnvironment({ withheld, isVaultFormer }: SopsOptions): NodeJS.ProcessEnv {
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => FOR_SOPS.test(name)));
  if (withheld !== undefined) delete environment[withheld];
  // Azure's library tries a vault that is gone for half a minute.
  const isKeyGiven = Object.keys(environment).some((name) => name.startsWith("SOPS_AGE_"));
  environment.SOPS_DECRYPTION_ORDER = isVaultFormer && isKeyGiven ? "age,azure_kv,pgp" : "azure_kv,age,pgp";
  // Its log on standard error tells what Azure answered, even when the call has to be cut off. It holds no token.
  environment.AZURE_SDK_GO_LOGGING = "all";
  return environment;
}

function defaultPatience(): number {
  const seconds = Number(process.env.SEAL_PATIENCE_SECONDS || 120);
  if (!Number.isFinite(seconds) || seconds < 0) {
    throw new Error(`SEAL_PATIENCE_SECONDS must be a number of seconds, got "${process.env.SEAL_PATIENCE_SECONDS}"`);
  }
  return seconds * 1000;
}
