import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { type Facts, factsText } from "../../../components/stack/facts";
import { type GoldenAbout, type GoldenUnit, goldenFiles, goldenPath, readGolden } from "./golden";
import { placeholderFile, replacements } from "./stack";

/** Links of Debian's own that start what the guest has otherwise, or that has no place in it. */
const masked = ["ssh.service", "ssh.socket", "tor@default.service", "apt-daily.timer", "apt-daily-upgrade.timer"];
/** Units of systemd that NixOS turns on. */
const wanted = { "multi-user.target": ["systemd-networkd.service"], "sysinit.target": ["systemd-resolved.service"] };

/**
 * What a machine on namespaces cannot have as the image has it. The interface is no Hyper-V one; tor's root folder shows
 * the store alone, and Debian's tor is elsewhere.
 */
const adapted: Readonly<Record<string, (text: string) => string>> = {
  "etc/systemd/network/50-azure.network": (text) => text.replace("Driver=hv_netvsc", "Name=host0"),
  "units/tor.service": (text) =>
    text.replace("BindReadOnlyPaths=/etc\n", "BindReadOnlyPaths=/etc\nBindReadOnlyPaths=/usr /lib /lib64\n"),
  "store/torrc": (text) => `%include ${PLATFORM}/torrc\n${text}`,
};

/** Where the platform's own files are on the machine: the throw-away authority's certificate, the Tor network's lines. */
export const PLATFORM = "/etc/rehearsal";

/** Writes the guest's texts, this deployment's values in them, over Debian's part of the machine. */
export function writeTree(root: string, facts: Facts, stackDirectory: string): void {
  const about = readGolden();
  checkFacts(facts);
  const values = [...replacements(facts), ...sealedDigests(facts, stackDirectory)];
  for (const name of goldenFiles()) write(root, name, textOf(name, values));
  for (const { sealedFile } of Object.values(facts.secrets)) {
    place(path.join(root, "nix/store", sealedFile), fs.readFileSync(path.join(stackDirectory, sealedFile)));
  }
  place(path.join(root, "etc/sealed-onion/facts.json"), factsText(facts));
  fs.cpSync(path.join("nix", "site"), path.join(root, "nix/store/site"), { recursive: true });
  for (const [name, unit] of Object.entries(about.units)) linkUnit(root, name, unit);
  for (const [target, units] of Object.entries(wanted)) for (const unit of units) want(root, target, unit);
  for (const name of masked) link("/dev/null", path.join(root, "etc/systemd/system", name));
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

/** The texts are those of one configuration: another one's facts would give a machine that nobody evaluated. */
function checkFacts(facts: Facts): void {
  const plain = replacements(facts).reduce(
    (text, [placeholder, value]) => text.replaceAll(value, placeholder),
    factsText(facts),
  );
  if (plain === fs.readFileSync(goldenPath("facts.json"), "utf8")) return;
  throw new Error(
    "the golden texts are of another configuration than this stack's: type npm run check:nix -- --update",
  );
}

function sealedDigests(facts: Facts, folder: string): [string, string][] {
  const digest = (content: string | Buffer) => createHash("sha256").update(content).digest("hex");
  return Object.entries(facts.secrets).map(([name, { sealedFile }]) => [
    digest(placeholderFile(name)),
    digest(fs.readFileSync(path.join(folder, sealedFile))),
  ]);
}

function textOf(name: string, values: [string, string][]): string {
  const text = fs.readFileSync(goldenPath(name), "utf8");
  const whole = text.replaceAll(/^@(nix\/scripts\/[a-z-]+\.sh)@\n/gm, (_, file) => fs.readFileSync(file, "utf8"));
  const own = values.reduce((result, [placeholder, value]) => result.replaceAll(placeholder, value), whole);
  return adapted[name]?.(own) ?? own;
}

/** `units/NAME` goes to systemd's folder, `store/NAME` to the store, `etc/NAME` to /etc. */
function write(root: string, name: string, text: string): void {
  const [kind = "", ...rest] = name.split("/");
  const below = { units: "etc/systemd/system", store: "nix/store", etc: "etc" }[kind];
  if (below === undefined) return; // about.json and facts.json say what is no text
  const isProgram = text.startsWith("#!");
  place(path.join(root, below, ...rest), text, isProgram ? 0o755 : 0o644);
}

function linkUnit(root: string, name: string, { wantedBy, requiredBy }: GoldenUnit): void {
  for (const target of wantedBy) want(root, target, name);
  for (const target of requiredBy)
    link(`../${name}`, path.join(root, "etc/systemd/system", `${target}.requires`, name));
}

function want(root: string, target: string, name: string): void {
  const own = path.join(root, "etc/systemd/system", name);
  const file = fs.existsSync(own) ? `../${name}` : `/usr/lib/systemd/system/${name}`;
  link(file, path.join(root, "etc/systemd/system", `${target}.wants`, name));
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
