import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Facts } from "../../../components/stack/facts";
import type { EvaluatedGuest, Manifest, ManifestSecret } from "./evaluated";

/**
 * The manifest that the guest's modules render for a stack: the evaluated one, with this stack's secrets in the place
 * of the example's. What is the same for every secret of the example is so for every secret of a stack.
 * @param sealedFolder where the sealed files lie
 */
export function manifestOf(facts: Facts, sealedFolder: string, { manifest }: EvaluatedGuest): Manifest {
  const [example] = manifest.secrets;
  if (!example) throw new Error("the evaluated manifest has no secret to follow: run npm run check:nix -- --update");
  const secrets = Object.keys(facts.secrets).sort();
  return { ...manifest, secrets: secrets.map((name) => ({ ...example, ...ownOf(name, facts, sealedFolder) })) };
}

function ownOf(name: string, facts: Facts, sealedFolder: string): ManifestSecret {
  const { path: target, owner, group, mode, sealedFile } = placementOf(name, facts);
  const sopsFile = path.join(sealedFolder, sealedFile);
  const sopsFileHash = createHash("sha256").update(fs.readFileSync(sopsFile)).digest("hex");
  const restartUnits = unitsToRestart(name, facts);
  return { name, key: name, path: target, owner, group, mode, sopsFile, sopsFileHash, restartUnits };
}

function placementOf(name: string, facts: Facts) {
  const placement = facts.secrets[name];
  if (!placement) throw new Error(`the image's facts declare no secret '${name}'`);
  return placement;
}

/** The units that the secret names, sshd where it is its host key, and tor where it is a service's key or tells who may call one. */
function unitsToRestart(name: string, facts: Facts): string[] {
  const ofTor = Object.values(facts.services).flatMap(({ secret, clientAuthorization }) => [
    secret,
    ...clientAuthorization,
  ]);
  const tor = ofTor.includes(name) ? ["tor.service"] : [];
  const sshd = facts.sshHostKey === name ? ["sshd.service"] : [];
  return [...new Set([...placementOf(name, facts).restart, ...tor, ...sshd])].sort();
}

/**
 * The same manifest for a VM that is rehearsed: its paths moved below `root`. It has none of the guest's users, so
 * owners stay those of the user who runs it (`userMode`).
 */
export function movedBelow(root: string, manifest: Manifest): Manifest {
  const move = (file: string) => path.join(root, file);
  return {
    ...manifest,
    secrets: manifest.secrets.map((secret) => ({ ...secret, path: move(secret.path), owner: null, group: null })),
    secretsMountPoint: move(manifest.secretsMountPoint),
    symlinkPath: move(manifest.symlinkPath),
    ageSshKeyPaths: manifest.ageSshKeyPaths.map(move),
    userMode: true,
  };
}

/** The environment of the unit that opens the secrets, its values this stack's. */
export function unsealEnvironment(facts: Facts, { unseal }: EvaluatedGuest): Record<string, string> {
  return {
    ...unseal.environment,
    AZURE_CLIENT_ID: facts.identity.clientId,
    SEALED_ONION_KEY_URL: facts.vault.keyUrl,
  };
}
