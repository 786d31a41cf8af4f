import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { bootedDials, bootedSecrets } from "./booted/stack";
import { pulumiConfig } from "./pulumi-config";
import type { Recoverer } from "./recovery";
import { nobodysSshKey } from "./ssh-key";

/** The stack that a rehearsal deploys: a real configuration, with secrets made up for this run. */
export interface Scenario {
  stack: string;
  /** Pulumi configuration, as a stack file holds it: objects are JSON. */
  config: Record<string, string>;
  /** Plaintexts that are known beforehand; the onion key is known only once the VM has opened it. */
  plaintexts: { name: string; bytes: Buffer }[];
}

/** `image.builder` where Nix does not build: a small disk stands for the image. */
export const DISK_BUILDER = ["node", "components/start/run.mjs", "test/rehearsal/stack-image.ts"];

/**
 * @param sources a folder on a memory file system: where this stack's owner keeps plaintext
 * @param builder argv of what builds the image where Nix does not
 */
export function makeScenario(sources: string, recoverers: Recoverer[], builder: string[] | undefined): Scenario {
  const { token, blob, plaintexts } = writePlaintexts(sources);
  const secrets = {
    onion: { source: { onion: {} } },
    token: { source: token, owner: "root", mode: "0400", restart: ["site.service"] },
    blob: { source: blob, path: "/run/app/blob" },
  };
  return { stack: "rehearsal", config: stackConfig(secrets, recoverers, builder), plaintexts };
}

/** The stack of the machine that boots: the one that its golden texts are evaluated of. @param sshKey the operator's */
export function makeBootedScenario(
  sources: string,
  recoverers: Recoverer[],
  builder: string[],
  sshKey: string,
): Scenario {
  const { token, blob, plaintexts } = writePlaintexts(sources);
  const secrets = {
    onion: { ...bootedSecrets.onion, source: { onion: {} } },
    token: { ...bootedSecrets.token, source: token },
    blob: { ...bootedSecrets.blob, source: blob },
  };
  const dials = { ...bootedDials, "sealed-onion:sshPublicKey": sshKey };
  return { stack: "rehearsal", config: { ...stackConfig(secrets, recoverers, builder), ...dials }, plaintexts };
}

/** A token in a file and random bytes that a command prints: the declarations' sources. */
function writePlaintexts(sources: string) {
  const token = `token-${randomBytes(24).toString("hex")}`;
  const binary = randomBytes(300);
  const tokenFile = path.join(sources, "token");
  const binaryFile = path.join(sources, "blob");
  fs.writeFileSync(tokenFile, token, { mode: 0o600 });
  fs.writeFileSync(binaryFile, binary, { mode: 0o600 });
  return {
    token: { file: tokenFile },
    blob: { command: ["cat", binaryFile] },
    plaintexts: [
      { name: "token", bytes: Buffer.from(token) },
      { name: "blob", bytes: binary },
    ],
  };
}

/** A stack's configuration with the least that it needs: region, SSH key, secrets. */
export function stackConfig(
  secrets: Record<string, object>,
  recoverers: Recoverer[] = [],
  builder?: string[],
): Record<string, string> {
  const recipients = {
    age: recoverers.filter(({ kind }) => kind !== "pgp").map(({ recipient }) => recipient),
    pgp: recoverers.filter(({ kind }) => kind === "pgp").map(({ recipient }) => recipient),
  };
  return pulumiConfig({
    "azure-native:location": "westeurope",
    sshPublicKey: nobodysSshKey,
    status: false, // no machine boots behind the VM, so none would say that it serves
    secrets,
    recipients,
    image: builder && { builder },
  });
}
