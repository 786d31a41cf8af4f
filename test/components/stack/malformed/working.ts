/** A configuration that works, for the stack `dev`: key -> value, keys without a namespace being this project's. */
export const WORKING: Readonly<Record<string, unknown>> = {
  "azure-native:location": "westeurope",
  secrets: { "onion-key": { source: { onion: {} } } },
  sshPublicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB8+mCR+MEsv0XYi7ohvdKLbDecBtb3uKGQOPfIhdj3C operator@example",
};

/**
 * What is wrong with a configuration, what is changed in the working one (undefined removes a key; `stack` and
 * `secretKeys` are no keys but stand for themselves), and the one line that is said.
 */
export type Malformed = readonly [title: string, change: Readonly<Record<string, unknown>>, message: string];

export const ONION = { "onion-key": { source: { onion: {} } } };
export const ID = "01234567-89ab-4def-8123-456789abcdef";

/** The working configuration with one more secret. */
export function secret(declaration: object, name = "token"): Record<string, unknown> {
  return { secrets: { ...ONION, [name]: { source: { env: "TOKEN" }, ...declaration } } };
}
