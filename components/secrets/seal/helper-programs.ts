import type { Recipients } from "../recipients";

/** age's own public keys; others are `age1NAME1…`, and `age-plugin-NAME` knows what to do with them. */
const OF_PLUGIN = /^age1([0-9a-z+._-]+)1[02-9a-z]+$/;
/** What age does itself. Source: https://c2sp.org/age */
const BUILT_IN = ["pq", "tag", "tagpq"];

/** The programs that sops starts for recipients besides the vault, and which may wait for a person. */
export function helperPrograms({ age, pgp }: Recipients, environment: NodeJS.ProcessEnv = process.env): string[] {
  const plugins = age.flatMap((key) => OF_PLUGIN.exec(key)?.[1] ?? []).filter((name) => !BUILT_IN.includes(name));
  const commands = ["SOPS_AGE_KEY_CMD", "SOPS_AGE_SSH_PRIVATE_KEY_CMD"].filter((name) => environment[name]);
  const all = [...(pgp.length > 0 ? ["gpg"] : []), ...plugins.map((name) => `age-plugin-${name}`), ...commands];
  return [...new Set(all)];
}
