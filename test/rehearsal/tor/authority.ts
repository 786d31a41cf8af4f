import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { TorControl } from "./control";
import type { TorIdentity } from "./identity";

/** Seconds between consensuses. */
export interface VotingIntervals {
  /** Until the first one. */
  readonly first: number;
  readonly later: number;
}
/** How far ahead the first consensus is aimed, in seconds: with 1 it is missed. */
const AIM = 2;

/** What makes a tor the one directory authority of its network, which guards by these relays only. */
export function authorityLines(dirPort: string, guards: readonly string[], voting: VotingIntervals): string[] {
  return [
    `DirPort ${dirPort} IPv4Only`,
    "AuthoritativeDirectory 1",
    "V3AuthoritativeDirectory 1",
    // Were the authority a guard too, it would be first and last hop of a circuit at once, which fails.
    `TestingDirAuthVoteGuard ${guards.join(",")}`,
    "TestingDirAuthVoteGuardIsStrict 1",
    "TestingDirAuthVoteHSDir *",
    // Onion circuits use relays with the flag Stable only; these have run for a second.
    "AuthDirVoteStableGuaranteeMinUptime 0",
    "AuthDirVoteStableGuaranteeMTBF 0",
    `TestingV3AuthInitialVotingInterval ${voting.first} seconds`,
    "TestingV3AuthInitialVoteDelay 2 seconds",
    "TestingV3AuthInitialDistDelay 2 seconds",
    `V3AuthVotingInterval ${voting.later} seconds`,
    "V3AuthVoteDelay 2 seconds",
    "V3AuthDistDelay 2 seconds",
    "V3AuthNIntervalsValid 12",
  ];
}

/**
 * Writes the keys by which an authority signs: `tor-gencert` certifies a signing key by the identity key. Both keys
 * come from us, so that the network's fingerprints are known and the relays start meanwhile.
 * @param directory the authority's data folder, with the folder `keys` in it
 */
export async function writeAuthorityKeys(
  gencert: string,
  directory: string,
  dirPort: string,
  identity: TorIdentity,
  signing: TorIdentity,
): Promise<void> {
  const keys = path.join(directory, "keys");
  const identityFile = path.join(keys, "authority_identity_key");
  fs.writeFileSync(identityFile, identity.pem, { mode: 0o600 });
  const signingFile = path.join(keys, "authority_signing_key");
  fs.writeFileSync(signingFile, signing.pem, { mode: 0o600 });
  const certificate = path.join(keys, "authority_certificate");
  const where = ["-m", "12", "-a", dirPort, "-i", identityFile, "-s", signingFile, "-c", certificate];
  // It asks for a passphrase in any case; ours is none, as key and network live no longer than a rehearsal.
  await runGencert(gencert, ["--reuse", "--passphrase-fd", "0", ...where], "\n");
}

function runGencert(gencert: string, parameters: string[], input: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(gencert, parameters, { stdio: ["pipe", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.once("error", (error) => reject(new Error(`tor-gencert does not start: ${error.message}`)));
    child.once("close", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`tor-gencert ended with ${signal ?? `exit code ${code}`}: ${output.trim()}`));
    });
    child.stdin.end(input);
  });
}

/**
 * Has the authority publish a first consensus that names every relay, as soon as it has all their descriptors,
 * instead of waiting for the wall clock: the start of its voting interval is moved to two seconds from now.
 */
export async function voteNow(
  authority: TorControl,
  relays: readonly TorIdentity[],
  voting: VotingIntervals,
  deadline: number,
): Promise<void> {
  await descriptorsOf(authority, relays.length, deadline);
  while (Date.now() < deadline) {
    const target = Math.floor(Date.now() / 1000) + AIM;
    await authority.ask(`SETCONF TestingV3AuthVotingStartOffset="${target % voting.first} seconds"`);
    while (Date.now() / 1000 < target + 2) {
      const consensus = await authority.ask("GETINFO ns/all");
      if (countLines(consensus, "r ") >= relays.length) return;
      await sleep(50);
    }
  }
  throw new Error(`the private tor network has no consensus of all ${relays.length} relays in time`);
}

/** A vote before every descriptor is in would leave a relay out for a whole interval. */
async function descriptorsOf(authority: TorControl, count: number, deadline: number): Promise<void> {
  for (;;) {
    const known = countLines(await authority.ask("GETINFO desc/all-recent"), "router ");
    if (known >= count) return;
    if (Date.now() > deadline) throw new Error(`only ${known} of ${count} relays reached their authority in time`);
    await sleep(50);
  }
}

function countLines(text: string, start: string): number {
  return text.split("\n").filter((line) => line.startsWith(start)).length;
}
