import * as fs from "node:fs";
import * as path from "node:path";
import { runChild } from "../../components/process/child-process";
import { findOnPath } from "../../components/process/find-program";

/** Somebody besides Key Vault who may open the sealed files, with what `sops` needs to act as them. */
export interface Recoverer {
  kind: "age" | "ssh" | "pgp";
  /** An age recipient, an SSH public key or a PGP fingerprint, as `sealed-onion:recipients` takes it. */
  recipient: string;
  /** The environment by which sops finds the private key. */
  environment: NodeJS.ProcessEnv;
}

/** The programs that make recipients. */
export const RECOVERY_TOOLS = ["age", "ssh-keygen", "gpg"] as const;

const makers = [
  { kind: "age", tool: "age-keygen", make: makeAge },
  { kind: "ssh", tool: "ssh-keygen", make: makeSsh },
  { kind: "pgp", tool: "gpg", make: makePgp },
] as const;

/** What cannot be made here, each with the reason; a recipient of each of three kinds can be. */
export function missingRecoverers(): string[] {
  const missing = makers.filter(({ tool }) => !findOnPath(tool));
  return missing.map(({ kind, tool }) => `no ${kind} recipient, ${tool} is not on PATH`);
}

/** Makes throw-away recipients with the real tools that are here, their private keys in `folder` (a memory file system). */
export function makeRecoverers(folder: string): Promise<Recoverer[]> {
  return Promise.all(makers.filter(({ tool }) => findOnPath(tool)).map(({ make }) => make(folder)));
}

async function makeAge(folder: string): Promise<Recoverer> {
  const file = path.join(folder, "age-key.txt");
  await succeed("age-keygen", ["-o", file]);
  const recipient = /public key: (age1\w+)/.exec(fs.readFileSync(file, "utf8"))?.[1] ?? "";
  return { kind: "age", recipient, environment: { SOPS_AGE_KEY_FILE: file } };
}

async function makeSsh(folder: string): Promise<Recoverer> {
  const file = path.join(folder, "id_ed25519");
  await succeed("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "recovery", "-f", file]);
  const recipient = fs.readFileSync(`${file}.pub`, "utf8").trim();
  return { kind: "ssh", recipient, environment: { SOPS_AGE_SSH_PRIVATE_KEY_FILE: file } };
}

async function makePgp(folder: string): Promise<Recoverer> {
  const home = path.join(folder, "gnupg");
  fs.mkdirSync(home, { mode: 0o700 });
  const environment = { GNUPGHOME: home };
  const userId = "recovery <recovery@example.invalid>";
  const generate = [
    "--batch",
    "--quiet",
    "--passphrase",
    "",
    "--quick-generate-key",
    userId,
    "future-default",
    "default",
  ];
  await succeed("gpg", generate, environment);
  const listing = await succeed("gpg", ["--batch", "--with-colons", "--list-keys"], environment);
  const recipient = /^fpr:+([0-9A-F]{40}):/m.exec(listing)?.[1] ?? "";
  return { kind: "pgp", recipient, environment };
}

/** What others know of a PGP recipient, in a home of its own: sops looks up there what it seals for. */
export async function publicHalf(recoverers: readonly Recoverer[], home: string): Promise<NodeJS.ProcessEnv> {
  const pgp = recoverers.find(({ kind }) => kind === "pgp");
  if (pgp === undefined) return {};
  fs.mkdirSync(home, { mode: 0o700 });
  const key = `${home}.gpg`;
  await succeed("gpg", ["--batch", "--quiet", "--output", key, "--export", pgp.recipient], pgp.environment);
  await succeed("gpg", ["--batch", "--quiet", "--no-autostart", "--import", key], { GNUPGHOME: home });
  return { GNUPGHOME: home };
}

/** Ends the gpg-agent that a throw-away home has started. */
export async function endAgents(recoverers: Recoverer[]): Promise<void> {
  const pgp = recoverers.find(({ kind }) => kind === "pgp");
  if (pgp) await succeed("gpgconf", ["--kill", "all"], pgp.environment);
}

/**
 * Opens a sealed file as one recipient alone: no Azure credential, and a proxy that nobody listens on, so that the
 * vault is as good as gone.
 */
export function openWithoutVault(sealedFile: string, recoverer: Recoverer): Promise<Buffer> {
  const nowhere = "http://127.0.0.1:9";
  const environment = { HTTPS_PROXY: nowhere, HTTP_PROXY: nowhere, ...recoverer.environment };
  return open(`the ${recoverer.kind} recipient alone`, sealedFile, environment);
}

/** Opens a sealed file with the rights of a workstation, and with no key besides. */
export function openByVault(sealedFile: string, workstation: NodeJS.ProcessEnv): Promise<Buffer> {
  return open("the vault", sealedFile, workstation);
}

async function open(who: string, sealedFile: string, more: NodeJS.ProcessEnv): Promise<Buffer> {
  const { PATH, HOME } = process.env;
  const types = ["--input-type", "json", "--output-type", "binary"];
  const environment = { PATH, HOME, ...more };
  const { code, stdout, stderr } = await runChild("sops", ["decrypt", ...types, sealedFile], { environment });
  if (code !== 0) throw new Error(`${who} cannot open '${sealedFile}': ${stderr}`);
  return stdout;
}

async function succeed(program: string, args: string[], environment: NodeJS.ProcessEnv = {}): Promise<string> {
  const result = await runChild(program, args, { environment: { ...process.env, ...environment } });
  if (result.code !== 0) throw new Error(`${program} ended with exit code ${result.code}: ${result.stderr}`);
  return result.stdout.toString("utf8");
}
