import { atOnce } from "../../process/at-once";
import { wordsOf } from "../../process/words";
import { adoptSecret, resealSecret } from "../seal/seal-secret";
import { sourceOf } from "../sources/sources";
import { chosenStacks, type Declared, findDeclared, requestOf } from "./declared";

/**
 * Reads the sources of secrets again and seals what they say now; a source that several stacks share is read once.
 * A generated key has no source to read: it is left alone.
 * @param name undefined for all
 * @returns whether all could be sealed; the reasons of those that could not are printed
 */
export async function reseal(name: string | undefined, stack: string | undefined): Promise<boolean> {
  if (name !== undefined) {
    const declared = findDeclared(name, stack);
    if (isGenerated(declared)) throw new Error(generatedOnly(declared));
    await resealOne(declared);
    return true;
  }
  const all = chosenStacks(stack).flatMap((one) =>
    one.declarations.map((declaration) => ({ stack: one, declaration })),
  );
  const withSource = all.filter((declared) => !isGenerated(declared));
  const done = await atOnce(withSource, async (declared) => {
    try {
      await resealOne(declared);
      return true;
    } catch (error) {
      console.error(`${labelOf(declared)}: ${wordsOf(error)}`);
      return false;
    }
  });
  const generated = all.length - withSource.length;
  if (generated > 0) console.error(`${generated} generated ${generated === 1 ? "key stands" : "keys stand"}`);
  return done.every((one) => one);
}

/** Takes the sealed file as it is into its record, after it was changed by sops itself or its record was lost. */
export async function adopt(name: string, stack: string | undefined): Promise<void> {
  const { action, path, hostname, publicKey, formerly } = await adoptSecret(requestOf(findDeclared(name, stack)));
  const now = hostname ?? publicKey;
  const what = hostname ? "address" : "public key";
  const isOther = formerly !== undefined && formerly !== now;
  console.error(`${path}: ${action}${isOther ? `, its ${what} changes from ${formerly} to ${now}` : ""}`);
}

async function resealOne(declared: Declared): Promise<void> {
  const { path } = await resealSecret(requestOf(declared));
  console.error(`${path}: sealed`);
}

function isGenerated({ declaration }: Declared): boolean {
  return sourceOf(declaration.source).generated !== undefined;
}

function labelOf({ stack, declaration }: Declared): string {
  return `${stack.name}/${declaration.name}`;
}

function generatedOnly({ declaration: { name, generation, source }, stack }: Declared): string {
  if (stack.replicaKeys.includes(name)) return `onion key ${name} is one replica's own, made by pulumi up: it stands`;
  const { what = "key", renewed = "a new one" } = sourceOf(source).generated ?? {};
  return (
    `${what} ${name} is generated, it has no source to read: for ${renewed} ` +
    `pulumi config set --stack ${stack.name} --path sealed-onion:secrets.${name}.generation ${generation + 1}, then pulumi up`
  );
}
