import * as fs from "node:fs";
import * as path from "node:path";
import { parseOnionHostname } from "../../../components/onion/hostname";
import { formatPublicKeyFile } from "../../../components/onion/keys";
import { runChild } from "../../../components/process/child-process";
import { findOnPath } from "../../../components/process/find-program";
import { withGuestPrograms } from "./guest-programs";
import { type GuestOnion, preparation } from "./onion";

/** What the guest's script needs, in GNU's version: on another system its work is done here. */
const PROGRAMS = ["bash", "openssl", "cmp", "base32", "install", "stat"];

/** The program that lays out a service's folder here, for the report. */
export function preparingProgram(): string {
  const missing = PROGRAMS.filter((program) => !findOnPath(program));
  if (process.platform !== "linux") return "this program, as the guest's script is for Linux";
  return missing.length === 0 ? "prepare-onion-key.sh" : `this program, as ${missing.join(", ")} is not on PATH`;
}

/**
 * Lays out tor's folder of a service before tor starts, as the guest's unit does: by the guest's own script, which looks
 * at the key first; then NixOS's tor module copies the key.
 * @throws with the line that the VM's console would show
 */
export async function prepareOnionFolder(onion: GuestOnion): Promise<void> {
  fs.mkdirSync(path.dirname(onion.folder), { recursive: true, mode: 0o700 });
  if (preparingProgram() === "prepare-onion-key.sh") await runScript(onion);
  else layOut(onion);
  const key = path.join(onion.folder, "hs_ed25519_secret_key");
  fs.rmSync(key, { force: true });
  fs.copyFileSync(onion.keyFile, key);
  fs.chmodSync(key, 0o400);
}

/** A rehearsal changes its folder while its program runs. */
const SCRIPT = path.resolve("nix", "scripts", "prepare-onion-key.sh");

async function runScript(onion: GuestOnion): Promise<void> {
  const options = ["-o", "errexit", "-o", "nounset", "-o", "pipefail"];
  const environment = {
    PATH: withGuestPrograms(),
    SEALED_ONION_STATE: path.join(path.dirname(onion.folder), "said"),
    TOR_USER: String(process.getuid?.()), // the user who rehearses: there is no user tor
    TOR_GROUP: String(process.getgid?.()),
  };
  const { code, stderr } = await runChild("bash", [...options, SCRIPT, ...preparation(onion)], { environment });
  if (code !== 0) throw new Error(stderr.replace(/^<2>/, "").trim());
}

function layOut({ hostname, folder, clients }: GuestOnion): void {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  write(path.join(folder, "hs_ed25519_public_key"), formatPublicKeyFile(parseOnionHostname(hostname)));
  const authorized = path.join(folder, "authorized_clients");
  fs.rmSync(authorized, { recursive: true, force: true });
  if (clients.length > 0) fs.mkdirSync(authorized, { mode: 0o700 });
  for (const [name, file] of clients) write(path.join(authorized, `${name}.auth`), fs.readFileSync(file));
}

function write(file: string, content: Uint8Array): void {
  fs.rmSync(file, { force: true });
  fs.writeFileSync(file, content, { mode: 0o400 });
}
