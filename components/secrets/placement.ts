import { boolean, type Field, list, malformed, mustBe, NAMESPACE, optional, text } from "../config/fields";
import { DEFAULTS, ruled, saysOf, TAKEN_RUN_FOLDERS } from "../config/rules";

/** Where plaintext goes: below /run, which is memory; nothing may put it on a disk. */
export function parsePath(field: Field, name: string): string {
  text(field, "an absolute path below /run, which is memory and never a disk", /^\/run\/./);
  const path = ruled(field, "path");
  const [, , folder = "", ...rest] = path.split("/");
  if (TAKEN_RUN_FOLDERS.includes(folder)) throw mustBe(field, `outside /run/${folder}, which belongs to the system`);
  const isOwnPlace = rest.length === 1 && rest[0] === name;
  if (folder === "secrets" && !isOwnPlace) throw mustBe(field, `/run/secrets/${name} or outside /run/secrets`);
  return path;
}

export function parseAccount(field: Field): string {
  return ruled(field, "account");
}

export function parseUnits(field: Field): string[] {
  return list(field, "a list of services", (item) => ruled(item, "service"));
}

/** How others than owner and group come to a secret: not at all, unless the declaration says so. */
export function parseMode(mode: Field, world: Field): { mode: string; worldReadable: boolean } {
  const worldReadable = optional(world, false, boolean);
  const isNumber = typeof mode.value === "number";
  const quoting = `set ${NAMESPACE}:${mode.path} in quotes, as YAML reads 0400 as a number`;
  if (isNumber) throw mustBe(mode, saysOf("mode"), quoting);
  const digits = optional(mode, DEFAULTS.secret.mode, (field) => ruled(field, "mode"));
  const isOpen = !digits.endsWith("0");
  if (isOpen && !worldReadable) {
    throw mustBe(mode, "closed to others", `set ${NAMESPACE}:${world.path} to true if everybody on the VM may read it`);
  }
  if (!isOpen && worldReadable) {
    const problem = `${world.path} is true but ${mode.path} ${JSON.stringify(digits)} does not let others read`;
    throw malformed(problem, `remove ${NAMESPACE}:${world.path}`);
  }
  return { mode: digits, worldReadable };
}
