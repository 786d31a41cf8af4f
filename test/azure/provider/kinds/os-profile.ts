import { createPublicKey } from "node:crypto";
import type { CloudResource } from "../../cloud";
import { refuse, textAt, valueAt, valuesAt } from "../arm";

/** Names that Azure refuses. Source: https://learn.microsoft.com/azure/virtual-machines/linux/faq (user name requirements). */
const RESERVED = new Set(
  `1 123 a actuser adm admin admin1 admin2 administrator aspnet backup console david guest john owner root server sql
  support support_388945a0 sys test test1 test2 test3 user user1 user2 user3 user4 user5 video`.split(/\s+/),
);

function checkNames(profile: unknown): void {
  const user = textAt(profile, "adminUsername");
  const host = textAt(profile, "computerName");
  if (user === undefined) refuse(400, "InvalidParameter", "Required parameter 'adminUsername' is missing (null).");
  if (RESERVED.has(user.toLowerCase()))
    refuse(400, "InvalidParameter", `The Admin Username specified is not allowed: ${user}.`);
  if (!/^[a-z_][a-z0-9_-]{0,63}$/i.test(user))
    refuse(400, "InvalidParameter", `The Admin Username '${user}' is not a valid Linux user name of 1-64 characters.`);
  if (host === undefined) refuse(400, "InvalidParameter", "Required parameter 'computerName' is missing (null).");
  if (!/^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$/i.test(host))
    refuse(
      400,
      "InvalidParameter",
      `Linux host name '${host}' cannot exceed 64 characters in length or contain the following characters: \` ~ ! @ # $ % ^ & * ( ) = + _ [ ] { } \\ | ; : ' " , < > / ?.`,
    );
}

/** RSA of at least 2048 bits or Ed25519. Source: https://learn.microsoft.com/azure/virtual-machines/linux/mac-create-ssh-keys */
function isSshKey(line: string): boolean {
  const [type, blob = ""] = line.trim().split(/\s+/);
  const data = Buffer.from(blob, "base64");
  const fields: Buffer[] = [];
  for (let at = 0; at + 4 <= data.length; at += 4 + data.readUInt32BE(at))
    fields.push(data.subarray(at + 4, at + 4 + data.readUInt32BE(at)));
  if (fields[0]?.toString("latin1") !== type) return false;
  if (type === "ssh-ed25519") return fields[1]?.length === 32;
  const [, e, n] = fields;
  if (type !== "ssh-rsa" || e === undefined || n === undefined) return false;
  const jwk = { kty: "RSA", e: e.toString("base64url"), n: n.subarray(n[0] === 0 ? 1 : 0).toString("base64url") };
  return (createPublicKey({ key: jwk, format: "jwk" }).asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
}

function checkKeys(profile: unknown): void {
  const user = textAt(profile, "adminUsername");
  const keys = valuesAt(profile, "linuxConfiguration.ssh.publicKeys[]").map(({ value }) => value);
  for (const key of keys) {
    const path = textAt(key, "path");
    const home = `/home/${user}/.ssh/authorized_keys`;
    if (path !== home)
      refuse(
        400,
        "InvalidParameter",
        `Destination path for SSH public keys is currently limited to its default value ${home}  due to a known issue in Linux provisioning agent.`,
      );
    if (!isSshKey(textAt(key, "keyData") ?? ""))
      refuse(400, "InvalidParameter", "The value of parameter linuxConfiguration.ssh.publicKeys.keyData is invalid.");
  }
}

/** A generalized image makes a user: by a key or a password. */
export function checkLogin(machine: CloudResource): void {
  const profile = valueAt(machine.properties, "osProfile");
  if (valueAt(machine.properties, "storageProfile.imageReference") === undefined) return;
  if (profile === undefined) refuse(400, "InvalidParameter", "Required parameter 'osProfile' is missing (null).");
  checkNames(profile);
  checkKeys(profile);
  const withKeys = valuesAt(profile, "linuxConfiguration.ssh.publicKeys[]").length > 0;
  const noPassword = valueAt(profile, "linuxConfiguration.disablePasswordAuthentication") === true;
  const password = textAt(profile, "adminPassword");
  if (!withKeys && (noPassword || password === undefined))
    refuse(
      400,
      "InvalidParameter",
      "Authentication using either SSH or by user name and password must be enabled in Linux profile. Required parameter 'linuxConfiguration.ssh.publicKeys' is missing (null).",
    );
  if (noPassword && password !== undefined)
    refuse(400, "InvalidParameter", "Parameter 'adminPassword' is not allowed with disablePasswordAuthentication.");
  if (password !== undefined && (password.length < 12 || password.length > 72))
    refuse(400, "InvalidParameter", "The supplied password must be between 12-72 characters long.");
}
