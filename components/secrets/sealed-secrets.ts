import * as pulumi from "@pulumi/pulumi";
import { SealedSecret, type SealedSecretArgs } from "./sealed-secret";
import type { SecretDeclaration, SecretName } from "./secret";

/** All secrets of a stack, by name where there is one value each. */
export interface SealedSecrets {
  /** SHA-256 of the sealed files, hexadecimal. */
  readonly digests: Readonly<Record<SecretName, pulumi.Output<string>>>;
  /** The addresses of onion keys; undefined for other secrets. */
  readonly hostnames: pulumi.Output<Readonly<Record<SecretName, string | undefined>>>;
  /** The public parts of other generated keys; undefined for other secrets. */
  readonly publicKeys: pulumi.Output<Readonly<Record<SecretName, string | undefined>>>;
  /** What reads sealed files waits for these. */
  readonly ready: readonly pulumi.Resource[];
}

/** A `SealedSecret` for each declaration. */
export function sealSecrets(
  declarations: readonly SecretDeclaration[],
  args: Omit<SealedSecretArgs, "declaration">,
): SealedSecrets {
  const secrets = declarations.map((declaration) => new SealedSecret(declaration.name, { ...args, declaration }));
  return {
    digests: Object.fromEntries(secrets.map(({ secretName, digest }) => [secretName, digest])),
    hostnames: pulumi.output(Object.fromEntries(secrets.map(({ secretName, hostname }) => [secretName, hostname]))),
    publicKeys: pulumi.output(Object.fromEntries(secrets.map(({ secretName, publicKey }) => [secretName, publicKey]))),
    ready: secrets.map(({ ready }) => ready),
  };
}
