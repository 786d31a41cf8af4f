import * as fs from "node:fs";
import * as path from "node:path";
import { GUEST, policy, type Rig, sealKey, startRig, VAULT_URL, vault } from "loopback-azure/fixture";
import type { Machine } from "loopback-azure/machine/machine";
import { runChild } from "../../components/process/child-process";
import { findOnPath } from "../../components/process/find-program";

const INSTALLER = "sops-install-secrets";

/** What opens secrets in these tests: sops-nix's own program where it is on PATH. */
export const installedBy = findOnPath(INSTALLER) ? INSTALLER : `a stand-in, as ${INSTALLER} is not on PATH`;

/** A machine in Azure whose identity may decrypt with the vault's key, and a workstation that may encrypt. */
export interface SecretsRig {
  readonly rig: Rig;
  readonly machine: Machine;
  readonly keyUrl: string;
  /** Lets the machine's identity decrypt. */
  grant(): void;
  /** Takes that right away. */
  revoke(): void;
  /** A sealed file. @param to sops's options for its recipients */
  seal(plaintext: string, to?: string[]): Promise<string>;
  close(): Promise<void>;
}

export async function startSecretsRig(): Promise<SecretsRig> {
  const rig = await startRig();
  const { objectId } = rig.azure.workstation.principal;
  const workstation = policy(rig.cloud, objectId, "get", "encrypt");
  const guest = policy(rig.cloud, GUEST.principalId, "decrypt");
  const revoke = () => void rig.cloud.put(vault(rig.cloud, { accessPolicies: [workstation] }));
  const grant = () => void rig.cloud.put(vault(rig.cloud, { accessPolicies: [guest, workstation] }));
  grant();
  const machine = await rig.azure.bootMachine(rig.ids.machine);
  const keyUrl = `${VAULT_URL}/keys/seal/${(await sealKey(rig.cloud)).version}`;
  return {
    rig,
    machine,
    keyUrl,
    grant,
    revoke,
    async seal(plaintext, to = ["--azure-kv", keyUrl]) {
      const types = ["--input-type", "binary", "--output-type", "json", "--filename-override", "token"];
      const environment = { ...rig.azure.workstation.env, PATH: process.env.PATH };
      const input = Buffer.from(plaintext);
      const sealed = await runChild("sops", ["encrypt", ...types, ...to, "/dev/stdin"], { input, environment });
      if (sealed.code !== 0) throw new Error(sealed.stderr);
      return sealed.stdout.toString("utf8");
    },
    async close() {
      await machine.close();
      await rig.close();
    },
  };
}

/** Where one machine keeps its secrets, below a folder; the environment of the scripts that open them. */
export function secretsEnvironment({ machine, keyUrl }: SecretsRig, folder: string): Record<string, string> {
  const programs = path.join(folder, "bin");
  const memory = path.join(folder, "secrets.d");
  for (const made of [programs, memory]) fs.mkdirSync(made);
  const systemctl = `#!/bin/sh\necho "$*" >>'${folder}/systemctl.log'\n`;
  fs.writeFileSync(path.join(programs, "systemctl"), systemctl, { mode: 0o755 });
  if (!findOnPath(INSTALLER)) {
    const standIn = fs.readFileSync(path.resolve("test/rehearsal/booted/stand-ins", INSTALLER));
    fs.writeFileSync(path.join(programs, INSTALLER), standIn, { mode: 0o755 });
  }
  return {
    ...machine.env,
    PATH: `${programs}:${process.env.PATH}`,
    AZURE_CLIENT_ID: GUEST.clientId,
    SEALED_ONION_KEY_URL: keyUrl,
    SEALED_ONION_STATE: path.join(folder, "state"),
    SEALED_ONION_SECRETS: path.join(folder, "secrets"),
    SEALED_ONION_MEMORY: memory,
    XDG_RUNTIME_DIR: folder,
  };
}

/** What systemd was asked for, a line each. */
export function askedOfSystemd(folder: string): string {
  const log = path.join(folder, "systemctl.log");
  return fs.existsSync(log) ? fs.readFileSync(log, "utf8") : "";
}

/** The manifest of an image with these secrets, sealed in `<name>.sops.json`, for a user without rights to mount. */
export function secretsManifest(folder: string, names: readonly string[]): object {
  const own = { owner: null, uid: process.getuid?.(), group: null, gid: process.getgid?.() };
  const file = { format: "binary", mode: "0400", ...own, key: "" };
  const secrets = names.map((name) => ({
    name,
    ...file,
    path: path.join(folder, "secrets", name),
    sopsFile: path.join(folder, `${name}.sops.json`),
    restartUnits: [],
    reloadUnits: [],
  }));
  const folders = { secretsMountPoint: path.join(folder, "secrets.d"), symlinkPath: path.join(folder, "secrets") };
  const keys = { sshKeyPaths: [], gnupgHome: null, ageKeyFile: null, ageSshKeyPaths: [], keepGenerations: 3 };
  const rest = { templates: [], placeholderBySecretName: {}, useTmpfs: false, userMode: true };
  return { secrets, ...folders, ...keys, ...rest, logging: { keyImport: false, secretChanges: false } };
}
