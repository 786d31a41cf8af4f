import * as fs from "node:fs";
import * as path from "node:path";
import { type Facts, factsText } from "../../../components/stack/facts";
import { type GoldenAbout, goldenFiles, goldenPath, readGolden } from "./golden";
import { replacements } from "./stack";

/** Links of Debian's own that start what the guest has otherwise, or that has no place in it. */
const MASKED = ["ssh.service", "ssh.socket", "tor@default.service", "apt-daily.timer", "apt-daily-upgrade.timer"];
/** Units of systemd that NixOS turns on. */
const WANTED = { "multi-user.target": ["systemd-networkd.service"], "sysinit.target": ["systemd-resolved.service"] };

/** Where the platform's own files are on the machine: the throw-away authority's certificate, the Tor network's lines. */
export const PLATFORM = "/etc/rehearsal";

/** Writes what is the same in each system of the machine over Debian's part of it; the rest is the system's (system.nix). */
export function writeTree(root: string, facts: Facts): void {
  const about = readGolden();
  checkFacts(facts);
  for (const name of goldenFiles().filter((file) => /^etc\/(?!sealed-onion\/)/.test(file)))
    place(path.join(root, name), textOf(name, replacements(facts)));
  place(path.join(root, "etc/tmpfiles.d/status.conf"), "d /run/sealed-onion-status 0700 root root -\n");
  link("/run/current-system/etc/sealed-onion", path.join(root, "etc/sealed-onion"));
  for (const [target, units] of Object.entries(WANTED)) for (const unit of units) want(root, target, unit);
  for (const name of MASKED) link("/dev/null", path.join(root, "etc/systemd/system", name));
  addUsers(root, about.users);
  makeOwn(root);
}

/** The machine's own: no id yet, its name from Azure, names by systemd-resolved, the authority's certificate alone. */
function makeOwn(root: string): void {
  place(path.join(root, "etc/machine-id"), "");
  fs.rmSync(path.join(root, "etc/hostname"), { force: true });
  link("/run/systemd/resolve/stub-resolv.conf", path.join(root, "etc/resolv.conf"));
  link(`${PLATFORM}/ca.pem`, path.join(root, "etc/ssl/certs/ca-certificates.crt"));
  fs.mkdirSync(path.join(root, PLATFORM));
  for (const key of fs.readdirSync(path.join(root, "etc/ssh")).filter((name) => name.startsWith("ssh_host_"))) {
    fs.rmSync(path.join(root, "etc/ssh", key)); // Debian makes them as it installs: one pair for all machines
  }
}

/**
 * The texts are those of one configuration: another one's facts would give a machine that nobody evaluated. Status and
 * updates may be left out, and secrets in user data, then their units are.
 */
function checkFacts(facts: Facts): void {
  const plain = replacements(facts).reduce(
    (text, [placeholder, value]) => (value === "" ? text : text.replaceAll(value, placeholder)),
    factsText(facts),
  );
  const golden: Facts = JSON.parse(fs.readFileSync(goldenPath("facts.json"), "utf8"));
  const { status, update, ...others } = golden;
  const { userDataSecrets } = facts.guest;
  const guest = { ...others.guest, userDataSecrets };
  const wanted = { ...others, guest, ...(facts.status && { status }), ...(facts.update && { update }) };
  if (plain === factsText(wanted)) return;
  throw new Error(
    "the golden texts are of another configuration than this stack's: type npm run check:nix -- --update",
  );
}

/** The interface of a machine on namespaces is no Hyper-V one. */
function textOf(name: string, values: [string, string][]): string {
  const text = fs.readFileSync(goldenPath(name), "utf8");
  const own = values.reduce((result, [placeholder, value]) => result.replaceAll(placeholder, value), text);
  return own.replace("Driver=hv_netvsc", "Name=host0");
}

function want(root: string, target: string, name: string): void {
  link(`/usr/lib/systemd/system/${name}`, path.join(root, "etc/systemd/system", `${target}.wants`, name));
}

function addUsers(root: string, users: GoldenAbout["users"]): void {
  const append = (name: string, line: string) => fs.appendFileSync(path.join(root, "etc", name), `${line}\n`);
  const taken = fs.readFileSync(path.join(root, "etc/passwd"), "utf8");
  append(
    "group",
    `wheel:x:980:${Object.entries(users)
      .flatMap(([name, user]) => (user.extraGroups.includes("wheel") ? [name] : []))
      .join(",")}`,
  );
  let id = 981;
  for (const [name, { isNormalUser }] of Object.entries(users)) {
    if (taken.includes(`\n${name}:`)) continue;
    id += 1;
    const home = isNormalUser ? `/home/${name}` : "/var/empty";
    append("passwd", `${name}:x:${id}:${id}::${home}:${isNormalUser ? "/bin/bash" : "/usr/sbin/nologin"}`);
    append("group", `${name}:x:${id}:`);
    append("shadow", `${name}:!:20000::::::`);
    if (isNormalUser) fs.mkdirSync(path.join(root, home));
    if (isNormalUser) fs.chownSync(path.join(root, home), id, id);
  }
}

function place(file: string, content: string | Buffer, mode = 0o644): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.rmSync(file, { force: true });
  fs.writeFileSync(file, content, { mode });
}

function link(target: string, file: string): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.rmSync(file, { force: true });
  fs.symlinkSync(target, file);
}
