import { Command } from "@pulumi/command/local/command";
import * as pulumi from "@pulumi/pulumi";
import { RandomBytes } from "@pulumi/random/randomBytes";
import { programCommand, sharedCommand } from "../config/project";
import { readably } from "../process/readable-error";
import { type ExpectedSeal, expectedSeal } from "./expected-seal";
import { fingerprint } from "./fingerprint";
import type { Recipients } from "./recipients";
import { lastRecord, missingSealedFile, readSealed, type SealedOnDisk } from "./seal/seal-record";
import type { SecretDeclaration } from "./secret";
import { sourceOf } from "./sources/sources";

export interface SealedSecretArgs {
  /** The stack's name: sealed files lie in `nix/stacks/STACK`. */
  readonly stack: string;
  /** What to seal: references only. */
  readonly declaration: SecretDeclaration;
  /** The versioned URL of the Key Vault key that seals. */
  readonly keyUrl: pulumi.Input<string>;
  /** Who opens the sealed file besides. @default nobody */
  readonly recipients?: Recipients;
  /** The stack's key for fingerprints, base64, a secret. @default one of this secret's own */
  readonly fingerprintKey?: pulumi.Input<string>;
  /** Sealing waits for these: the rights to use the key. @default none */
  readonly ready?: readonly pulumi.Resource[];
  /** Whether an onion key is protected from deletion. @default false */
  readonly production?: boolean;
}

/**
 * One declared secret, sealed by a command on the workstation into `nix/stacks/STACK/NAME.sops.json`. No plaintext is
 * an input, an output, an argument or an environment value of it.
 *
 *     const secret = new SealedSecret("onion-key", { stack, declaration, recipients, production, ...vault });
 *     export const onionHostname = secret.hostname;
 */
export class SealedSecret extends pulumi.ComponentResource {
  readonly secretName: string;
  /** SHA-256 of the sealed file, hexadecimal. */
  readonly digest: pulumi.Output<string>;
  /** The address of an onion key; undefined for other secrets. */
  readonly hostname: pulumi.Output<string | undefined>;
  /** The public part of another generated key; undefined for other secrets. */
  readonly publicKey: pulumi.Output<string | undefined>;
  /** What reads the sealed file waits for this. */
  readonly ready: pulumi.Resource;

  constructor(name: string, args: SealedSecretArgs, opts?: pulumi.ComponentResourceOptions) {
    super("sealed-onion:index:SealedSecret", name, {}, renamed(args.declaration, opts));
    const { stack, declaration } = args;
    const complete = {
      ...args,
      fingerprintKey: args.fingerprintKey ?? ownKey(this, name),
      recipients: args.recipients ?? NOBODY,
    };
    const environment = sealEnvironment(complete);
    const seal = new Command(
      `${name}-seal`,
      {
        create: sharedCommand("seal"),
        update: sharedCommand("seal"),
        delete: programCommand("seal --remove"),
        environment,
        // With it the program takes the fingerprint of what it really seals. No plaintext: Pulumi keeps it as a secret. By the
        // session's socket the state would be smaller, but a command that finds no session would have no key.
        stdin: pulumi.secret(complete.fingerprintKey),
        // Progress goes to people; the one line of stdout is for this program.
        logging: "stderr",
      },
      {
        parent: this,
        dependsOn: [...(args.ready ?? [])],
        ...(declaration.from === undefined ? {} : { aliases: [{ name: `${declaration.from}-seal` }] }),
        ...(args.production && declaration.kind === "onion" ? { protect: true } : {}),
      },
    );

    // What is printed is no secret, but Pulumi takes it for one, as an input is.
    const sealed = pulumi.unsecret(seal.stdout).apply(() => sealedOnDisk(stack, declaration));
    const expected = pulumi.runtime.isDryRun() ? expectation(complete, environment) : pulumi.output<ExpectedSeal>({});
    this.secretName = declaration.name;
    this.digest = expected.apply(({ digest }) => pulumi.output(digest ?? sealed.digest));
    this.hostname =
      declaration.kind === "onion"
        ? expected.apply(({ hostname }) => (hostname ? pulumi.output(hostname) : sealed.apply((file) => file.hostname)))
        : pulumi.output(undefined);
    const isMade = declaration.kind === undefined && sourceOf(declaration.source).generated !== undefined;
    this.publicKey = isMade
      ? expected.apply(({ publicKey }) =>
          publicKey ? pulumi.output(publicKey) : sealed.apply((file) => file.publicKey),
        )
      : pulumi.output(undefined);
    this.ready = seal;
    this.registerOutputs({ digest: this.digest, hostname: this.hostname });
  }
}

const NOBODY: Recipients = { age: [], pgp: [] };

function ownKey(parent: pulumi.Resource, name: string): pulumi.Output<string> {
  return new RandomBytes(`${name}-fingerprint-key`, { length: 32 }, { parent }).base64;
}

/** With all that a program may leave out. */
type CompleteArgs = SealedSecretArgs & Required<Pick<SealedSecretArgs, "fingerprintKey" | "recipients">>;

/** The inputs of the command, which a diff shows: they decide whether it runs. */
export function sealEnvironment(args: CompleteArgs): Record<string, pulumi.Input<string>> {
  const { stack, declaration, keyUrl, recipients } = args;
  return {
    STACK: stack,
    SECRET: declaration.name,
    SOURCE: JSON.stringify(declaration.source),
    KIND: declaration.kind ?? "",
    GENERATION: `${declaration.generation}`,
    FROM: declaration.from ?? "",
    FINGERPRINT: takeFingerprint(args),
    KEY_URL: keyUrl,
    RECIPIENTS: JSON.stringify({ age: recipients.age, pgp: recipients.pgp }),
    EXPECTED_HOSTNAME: declaration.hostname ?? "",
  };
}

/** Made with a secret key, but no secret itself: it may be seen in a diff. */
function takeFingerprint({ stack, declaration, fingerprintKey }: CompleteArgs): pulumi.Output<string> {
  const taken = pulumi.output(fingerprintKey).apply((key) =>
    readably(() => {
      const recorded = lastRecord(stack, declaration.name, declaration.from);
      return fingerprint(declaration, { stack, key: Buffer.from(key, "base64"), recorded });
    }),
  );
  return pulumi.unsecret(taken);
}

/** What a preview can tell although the command is to run. */
function expectation(
  { stack, declaration, recipients }: CompleteArgs,
  { FINGERPRINT = "", KEY_URL = "" }: Record<string, pulumi.Input<string>>,
): pulumi.Output<ExpectedSeal> {
  const { name, from } = declaration;
  return pulumi
    .all([FINGERPRINT, KEY_URL])
    .apply(([fingerprint, keyUrl]) =>
      readably(() => expectedSeal(lastRecord(stack, name, from), { fingerprint, keyUrl, recipients })),
    );
}

/** What lies on disk counts, not what the command printed: after a rollback of git it is the older secret. */
export function sealedOnDisk(stack: string, { name, kind }: SecretDeclaration): SealedOnDisk {
  return readably(() => {
    const sealed = readSealed(stack, name);
    if (sealed === undefined) throw new Error(missingSealedFile(stack, name));
    if (kind === "onion" && sealed.hostname === undefined) {
      throw new Error(
        `the record of onion key ${name} names no hostname: npm run secrets -- adopt ${name} --stack ${stack}`,
      );
    }
    return sealed;
  });
}

/** A renamed secret is the same resource under another name. */
function renamed(
  { from }: SecretDeclaration,
  opts: pulumi.ComponentResourceOptions | undefined,
): pulumi.ComponentResourceOptions {
  return from === undefined ? { ...opts } : { ...opts, aliases: [...(opts?.aliases ?? []), { name: from }] };
}
