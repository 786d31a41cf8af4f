/** What looks like a secret, and what it is called in an error. */
const SHAPES: readonly [what: string, shape: RegExp][] = [
  ["an age secret key", /AGE-SECRET-KEY-1/i],
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY/],
  ["an onion service's key", /== ed25519v1-secret/],
  ["a token", /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}/],
  ["a token of GitHub", /\bgh[opsu]_[A-Za-z0-9]{30,}|\bgithub_pat_[A-Za-z0-9_]{30,}/],
  ["a key of a storage account", /\b[A-Za-z0-9+/]{86}==/],
  ["a shared access signature", /[?&]sig=[A-Za-z0-9%+/]{20,}/],
  ["64 bytes in hexadecimal", /\b[0-9a-f]{128}\b/i],
  ["a password in a URL", /\b[a-z]+:\/\/[^\s/:@]+:[^\s/:@]+@/],
];

/** Names of environment variables whose values are secret. */
const SECRET_NAME = /SECRET|PASSWORD|PASSPHRASE|TOKEN|ACCESS_KEY|ACCOUNT_KEY|SAS/;

/** Shorter values would be found in any text. */
const SHORTEST = 8;

/**
 * Refuses a text that holds what looks like a secret, or the value of an environment variable that is one. It is posted
 * where everybody reads it.
 * @throws without the value
 */
export function refuseSecrets(text: string, environment: NodeJS.ProcessEnv): void {
  const shape = SHAPES.find(([, pattern]) => pattern.test(text));
  if (shape) throw new Error(`the comment holds what looks like ${shape[0]}: it is not printed`);
  const variable = Object.entries(environment).find(
    ([name, value]) =>
      SECRET_NAME.test(name) && value !== undefined && value.length >= SHORTEST && text.includes(value),
  );
  if (variable) throw new Error(`the comment holds the value of ${variable[0]}: it is not printed`);
}
