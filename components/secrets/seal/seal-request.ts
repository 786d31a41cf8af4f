import { follows, saysOf } from "../../config/rules";
import { required, requiredJson } from "../../process/environment";
import { UsageError } from "../../process/usage-error";
import type { Recipients } from "../recipients";
import type { SecretSource } from "../sources/sources";
import type { SealFor } from "./sealed-content";

/** One run of `seal`, as its environment says it: references only, nothing secret. */
export interface SealRequest {
  readonly stack: string;
  readonly name: string;
  readonly source: SecretSource;
  /** Whether the plaintext is an onion key. */
  readonly isOnion: boolean;
  readonly generation: number;
  /** The name before a renaming, or "". */
  readonly from: string;
  readonly fingerprint: string;
  readonly recipients: SealFor;
  /** `….onion`, the path of a `hostname` file, or "". */
  readonly expectedHostname: string;
  /** What fingerprints of plaintexts are taken with, where Pulumi gave it: it is on standard input. */
  readonly fingerprintKey?: Uint8Array | undefined;
  /** What the last successful run of the same resource said, if there was one. */
  readonly previous: PreviousRun | undefined;
}

export type PreviousRun = Partial<Pick<SealResult, "path" | "generation" | "fingerprint" | "hostname" | "publicKey">>;

/** What `seal` prints, as one JSON line. */
export interface SealResult {
  /** Of the sealed file, relative to the project's folder. */
  readonly path: string;
  /** SHA-256 of the sealed file, hexadecimal. */
  readonly digest: string;
  /** Of an onion key. */
  readonly hostname?: string;
  /** Of another generated key: its public part. */
  readonly publicKey?: string;
  /** What had to be done. */
  readonly action: "sealed" | "rewrapped" | "moved" | "adopted" | "unchanged";
  readonly generation: number;
  readonly fingerprint: string;
}

/** The stack and the secret's name: all that `--remove` needs. @throws UsageError */
export function readTarget(environment: NodeJS.ProcessEnv): { stack: string; name: string } {
  return { stack: fileName(environment, "STACK"), name: fileName(environment, "SECRET") };
}

/** @param fingerprintKey base64, or "" where it is not known @throws UsageError */
export function readRequest(environment: NodeJS.ProcessEnv, fingerprintKey: string): SealRequest {
  const generation = Number(required(environment, "GENERATION"));
  if (!Number.isInteger(generation) || generation < 1)
    throw new UsageError("GENERATION must be a whole number above 0");
  const keyUrl = required(environment, "KEY_URL");
  checkKeyUrl(keyUrl);
  const { age = [], pgp = [] } = requiredJson<Partial<Recipients>>(environment, "RECIPIENTS");
  return {
    ...readTarget(environment),
    source: requiredJson<SecretSource>(environment, "SOURCE"),
    isOnion: environment.KIND === "onion",
    generation,
    from: environment.FROM ? fileName(environment, "FROM") : "",
    fingerprint: required(environment, "FINGERPRINT"),
    recipients: { keyUrl, age, pgp },
    expectedHostname: environment.EXPECTED_HOSTNAME ?? "",
    fingerprintKey: fingerprintKey === "" ? undefined : Buffer.from(fingerprintKey, "base64"),
    previous: previousRun(environment.PULUMI_COMMAND_STDOUT),
  };
}

/** @throws UsageError unless it is the URL of one version of a Key Vault key */
export function checkKeyUrl(keyUrl: string): void {
  if (follows("keyUrl", keyUrl)) return;
  throw new UsageError(`KEY_URL must be ${saysOf("keyUrl")}, got "${keyUrl}"`);
}

function fileName(environment: NodeJS.ProcessEnv, variable: string): string {
  const value = required(environment, variable);
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(value)) return value;
  throw new UsageError(`${variable} must be a plain name, got ${JSON.stringify(value)}`);
}

function previousRun(stdout: string | undefined): PreviousRun | undefined {
  try {
    const previous: unknown = JSON.parse(stdout || "null");
    return typeof previous === "object" && previous !== null ? previous : undefined;
  } catch {
    return undefined; // another program's output: the resource ran something else before
  }
}
