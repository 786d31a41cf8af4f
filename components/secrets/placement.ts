import { boolean, type Field, list, malformed, mustBe, NAMESPACE, optional, text } from "../config/fields";
import { isTraversal } from "../config/path-segment";

/**
 * Folders below /run that belong to NixOS, systemd or sops-nix. `user`: the sandbox of the unit that opens the secrets
 * hides it, as it does /home, /root and /tmp (nix/modules/sealed-secrets.nix), so a secret would never appear there.
 */
const TAKEN_FOLDERS = [
  ...["secrets.d", "secrets-for-users", "current-system", "booted-system", "wrappers", "systemd"],
  "user",
];

/** A Linux user's or group's name as NixOS accepts it. */
const ACCOUNT = /^[a-z_][a-z0-9_-]{0,30}$/;

/** Unit types that restarting makes sense for. Source: systemd.unit(5). */
const UNIT = /^[A-Za-z0-9:_.\\-]+(@[A-Za-z0-9:_.\\-]*)?\.(service|socket|timer|path|target|mount)$/;

/** Where plaintext goes: below /run, which is memory; nothing may put it on a disk. */
export function parsePath(field: Field, name: string): string {
  const path = text(field, "an absolute path below /run, which is memory and never a disk", /^\/run\/./);
  const [, , folder = "", ...rest] = path.split("/");
  if (!/^[A-Za-z0-9._/-]{1,200}$/.test(path) || path.split("/").slice(1).some(isTraversal)) {
    throw mustBe(field, "a path of letters, digits, ., _ and -, without empty parts, . and ..");
  }
  if (TAKEN_FOLDERS.includes(folder)) throw mustBe(field, `outside /run/${folder}, which belongs to the system`);
  const isOwnPlace = rest.length === 1 && rest[0] === name;
  if (folder === "secrets" && !isOwnPlace) throw mustBe(field, `/run/secrets/${name} or outside /run/secrets`);
  return path;
}

export function parseAccount(field: Field): string {
  return text(field, "a user's or group's name (a-z, 0-9, _ and -, at most 31)", ACCOUNT);
}

export function parseUnits(field: Field): string[] {
  return list(field, "a list of systemd units", (item) => {
    return text(item, 'a systemd unit with its type, such as "web.service"', UNIT);
  });
}

/** How others than owner and group come to a secret: not at all, unless the declaration says so. */
export function parseMode(mode: Field, world: Field): { mode: string; worldReadable: boolean } {
  const worldReadable = optional(world, false, boolean);
  const isNumber = typeof mode.value === "number";
  const quoting = `set ${NAMESPACE}:${mode.path} in quotes, as YAML reads 0400 as a number`;
  const octal = 'four octal digits starting with 0, such as "0400"';
  if (isNumber) throw mustBe(mode, octal, quoting);
  const digits = optional(mode, "0400", (field) => text(field, octal, /^0[0-7]{3}$/));
  const bits = Number.parseInt(digits, 8);
  if ((bits & 0o400) === 0) throw mustBe(mode, "readable by the owner");
  if ((bits & 0o002) !== 0) throw mustBe(mode, "closed to writing by others");
  if ((bits & 0o007) !== 0 && !worldReadable) {
    throw mustBe(mode, "closed to others", `set ${NAMESPACE}:${world.path} to true if everybody on the VM may read it`);
  }
  if ((bits & 0o004) === 0 && worldReadable) {
    const problem = `${world.path} is true but ${mode.path} ${JSON.stringify(digits)} does not let others read`;
    throw malformed(problem, `remove ${NAMESPACE}:${world.path}`);
  }
  return { mode: digits, worldReadable };
}
