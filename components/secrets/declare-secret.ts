import { readably } from "../process/readable-error";
import { parseSecrets, type SecretDeclaration } from "./secret";

/** What a program says of one secret: a source, and what differs from the defaults. */
export type SecretWords = Pick<SecretDeclaration, "source"> & Partial<Omit<SecretDeclaration, "name" | "source">>;

/**
 * A complete declaration, checked as the configuration's are.
 * @throws pulumi.RunError with one line for each problem
 */
export function declareSecret(name: string, words: SecretWords): SecretDeclaration {
  const [declaration] = readably(() => parseSecrets({ [name]: words }));
  if (declaration === undefined) throw new Error(`secret ${name} was not read`);
  return declaration;
}
