import { pulumiConfig } from "../rehearsal/pulumi-config";
import { nobodysSshKey } from "../rehearsal/ssh-key";

/** The default stack's configuration, with so many secrets besides its onion key. */
export function configOf(more: number): Record<string, string> {
  const onion = { source: { onion: {} } };
  const others = Array.from({ length: more }, (_, index) => [`onion-${index}`, onion] as const);
  const secrets = { onion, ...Object.fromEntries(others) };
  return pulumiConfig({ "azure-native:location": "westeurope", sshPublicKey: nobodysSshKey, secrets });
}
