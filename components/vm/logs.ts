import { at, distinct, type Field, list, malformed, mustBe, NAMESPACE, structure } from "../config/fields";
import { ruled } from "../config/rules";

/** Which journal the machines hand out. */
export interface Logs {
  /** Services, such as `tor.service`. */
  readonly units: readonly string[];
}

/** Who has to be able to open it, and where it goes. */
interface LogsNeeds {
  /** age and SSH public keys. */
  readonly recipients: readonly string[];
  readonly status: boolean;
}

/** Of the recipients those that a machine encrypts for: it has no plugins, and age mixes none with post-quantum ones. */
export function logReaders(recipients: readonly string[]): readonly string[] {
  return recipients.filter((key) => /^(ssh-|age1[02-9a-z]{58}$)/.test(key));
}

/** Reads configuration key `logs`; undefined where it is empty, and nothing is handed out. */
export function parseLogs(field: Field): Logs | undefined {
  const keys = structure(field, ["units"]);
  if (Object.keys(keys).length === 0) return undefined;
  const units = at(field.path, keys, "units");
  const allowed = "a list of at least one service";
  const read = distinct(
    units,
    list(units, allowed, (unit) => ruled(unit, "service")),
  );
  if (read.length === 0) throw mustBe(units, allowed);
  return { units: read };
}

/** Logs are for the operators alone, and lie where the status does. @throws MalformedError */
export function checkLogs(logs: Logs | undefined, { recipients, status }: LogsNeeds): void {
  if (logs === undefined) return;
  if (logReaders(recipients).length === 0) {
    const problem = "logs are encrypted for the plain age and SSH keys of recipients.age, and there is none";
    throw malformed(problem, `set ${NAMESPACE}:recipients.age[0], or remove ${NAMESPACE}:logs`);
  }
  if (!status)
    throw malformed("logs lie where the status does, and status is false", `set ${NAMESPACE}:status to true`);
}
