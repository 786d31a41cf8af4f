import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { ask, via } from "loopback-azure/client";
import * as fixture from "loopback-azure/fixture";
import { GUEST, type Rig, startRig } from "loopback-azure/fixture";
import type { Machine } from "loopback-azure/machine/machine";
import { BLOB_CONTRIBUTOR } from "../../components/azure/azure-names";
import { narInfoName, narName } from "../../components/system/publish/nar-info";
import { publish } from "../../components/system/publish/publish";
import type { Release } from "../../components/system/publish/release";
import type { SystemStore } from "../../components/system/publish/system-store";
import { newSigningKey, readSigningKey, type SigningKey } from "../../components/system/signing-key/signing-key";
import { BLOB_READER } from "../../components/system/update-settings";
import { openScratchStore, type ScratchStore, trivial } from "./scratch-store";

const ACCOUNT = "sealedtest";
export const SYSTEMS = `https://${ACCOUNT}.blob.core.windows.net/systems`;
const HOSTNAME = `${"a".repeat(56)}.onion`;

/** What a system of the tests is like. */
export interface Look {
  readonly page: string;
  readonly kernel?: string;
  /** Tor does not start in it. */
  readonly torless?: boolean;
  /** Nobody listens behind its address. */
  readonly serverless?: boolean;
  /** What NixOS says of the machines that it is for. */
  readonly platform?: string;
  /** The code that its switch ends with. */
  readonly code?: number;
  /** What else it needs, which no other look has. */
  readonly ballast?: string;
}

/** In place of NixOS's own: says what runs and what is to be booted, by links below the machine's root. */
const SWITCH = `#!/bin/sh
root=$SEALED_ONION_ROOT
self=\${0#"$root"}
self=\${self%/bin/switch-to-configuration}
echo "$1 $self" >>"$root/switches"
entry() { printf 'menuentry "%s" {\\n  linux /kernel init=%s/init\\n}\\n' "$1" "$2"; }
if [ "$1" = boot ]; then
  ln -sfn "$self" "$root/boot-default"
  mkdir -p "$root/boot/grub"
  {
    entry NixOS "$self"
    echo 'submenu "All" {'
    for link in "$root"/nix/var/nix/profiles/system-*-link; do entry "$(basename "$link")" "$(readlink "$link")"; done
    echo '}'
  } >"$root/boot/grub/grub.cfg"
  exit 0
fi
ln -sfn "$self" "$root/run/current-system.new" && mv -T "$root/run/current-system.new" "$root/run/current-system"
rm -f "$root/etc" && ln -s "$root$self/etc" "$root/etc"
cp -f "$root$self/tcp" "$root/proc/net/tcp"
exit $(cat "$root$self/code")`;

const FACTS = {
  secrets: { "onion-key": {} },
  services: { site: { hostname: HOSTNAME } },
  status: { containerUrl: "" },
};

const TARGETS = { site: { 80: { target: "127.0.0.1:8440", unit: "onion-site-site.service" } } };

/** `/proc/net/tcp` where port 8440 of all addresses is listened at, or a client alone has it. */
const tcp = (isListening: boolean) =>
  `   0: 00000000:20F8 00000000:0000 ${isListening ? "0A" : "06"} 00000000:00000000 00:00000000 00000000 0 0 1`;

function expression(look: Look): string {
  const { page, kernel = "one", torless = false, serverless = false, code = 0, ballast = "", platform = "x" } = look;
  const text = (value: string) => JSON.stringify(value).replaceAll("${", "\\${");
  const script = [
    "busybox mkdir -p $out/bin $out/etc/sealed-onion",
    `printf '%s\\n' "$switch" >$out/bin/switch-to-configuration`,
    "busybox chmod 755 $out/bin/switch-to-configuration",
    `printf '%s\\n' "$facts" >$out/etc/sealed-onion/facts.json`,
    `printf '%s\\n' "$targets" >$out/etc/sealed-onion/targets.json`,
    `echo "${tcp(!serverless)}" >$out/tcp`,
    "busybox ln -s $page $out/etc/page",
    "busybox ln -s $kernel $out/kernel",
    `echo "$more" >$out/more`,
    `echo ${code} >$out/code`,
    `echo ${platform} >$out/system`,
    ...(torless ? ["echo >$out/torless"] : []),
  ];
  return trivial("system", script.join("\n"), {
    switch: text(SWITCH),
    facts: text(JSON.stringify(FACTS)),
    targets: text(JSON.stringify(TARGETS)),
    page: trivial("page", `echo "${page}" >$out`),
    kernel: trivial("kernel", `echo "${kernel}" >$out`),
    more: trivial("ballast", `echo "${ballast}" >$out`),
  });
}

/** systemd as the scripts ask it: what runs is what the current system lets run. */
const SYSTEMCTL = `#!/bin/bash
root=$SEALED_ONION_ROOT
echo "$*" >>"$root/systemctl"
case "$*" in
*is-active*tor.service) [[ ! -e $root$(readlink "$root/run/current-system")/torless ]] ;;
*is-active*) [[ -e $root/run/sealed-onion-update/known ]] ;;
*NRestarts*) echo 0 ;;
*ExecMainStatus*) printf '%s\\n' ActiveState=activating Result=exit-code ExecMainStatus=203 ;;
*show*) echo "ActiveEnterTimestamp=@1000000000" ;;
esac`;

/** A machine of the loopback Azure with a Nix store of its own, and a workstation that publishes systems for it. */
export interface UpdateRig {
  readonly rig: Rig;
  readonly key: SigningKey;
  readonly guest: ScratchStore;
  readonly env: Record<string, string>;
  build(look: Look): string;
  /** A store path that is no system. */
  buildOther(): string;
  /** Uploads a system. @returns what the machine is to be asked for */
  publish(path: string): Promise<Release>;
  ask(release: object | undefined): void;
  /** What lies in the container. */
  blobs: Set<string>;
  put(name: string, content: Buffer | string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Gives or takes the machine's right to the container. */
  mayRead(may: boolean): void;
  /** The machine looks at its user data once. @param killAfterMs it is killed then */
  look(killAfterMs?: number): Promise<{ code: number | null; stderr: string }>;
  /** Power off and on: what is in memory is gone. @param panics a kernel that GRUB boots once does not come up */
  reboot(how?: { readonly panics: boolean }): void;
  running(): string;
  bootDefault(): string;
  /** Builds, publishes and asks for a system, and the machine looks. */
  update(look: Look): Promise<{ release: Release; code: number | null; stderr: string }>;
  /** What the machine wrote of its last look. */
  outcome(): { outcome: string; why: string; generation: number };
  page(): string;
  close(): Promise<void>;
}

export async function startUpdateRig(first: Look): Promise<UpdateRig> {
  const rig = await startRig();
  furnish(rig);
  const machine = await rig.azure.bootMachine(rig.ids.machine);
  const [guest, workshop] = [openScratchStore(), openScratchStore()];
  const key = readSigningKey(newSigningKey("sealed-onion-dev"));
  const env = environmentOf(machine, guest, key);
  const image = guest.build(expression(first));
  workshop.build(expression(first));
  const file = (name: string) => path.join(guest.folder, name);
  const link = (name: string) => fs.readlinkSync(file(name));
  const reboot = ({ panics } = { panics: false }) => {
    const once = takeNext(file("boot/grub"));
    const standing = isLink(file("boot-default")) ? link("boot-default") : image;
    const system = once === undefined || panics ? standing : once;
    fs.rmSync(file("run"), { recursive: true, force: true });
    layOut(guest.folder, system);
  };
  reboot();
  const blobs = new Set<string>();
  const request = async (method: string, name: string, body?: Buffer | string) => {
    const token = await rig.tokenOf(rig.workstation(), "https://storage.azure.com");
    const headers = { authorization: `Bearer ${token}`, "x-ms-version": "2023-11-03", "x-ms-blob-type": "BlockBlob" };
    const reply = await ask(via(rig.azure.workstation.env), `${SYSTEMS}/${name}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    if (reply.status >= 300) throw new Error(`${method} ${name}: ${reply.status}: ${reply.text}`);
  };
  const put = async (name: string, content: Buffer | string) => {
    await request("PUT", name, content);
    blobs.add(name);
  };
  let last: Release | undefined;
  const store: SystemStore = {
    paths: () => Promise.resolve(new Set([...blobs].map((name) => name.slice(0, 32)))),
    async addNar(archive, packed) {
      await put(narName(packed), fs.readFileSync(archive));
      return packed.size;
    },
    addNarInfo: (stored, text) => put(narInfoName(stored.path), text),
    lastRelease: () => Promise.resolve(last),
    addClosure: () => Promise.resolve(),
    lastClosures: () => Promise.resolve(undefined),
    removeNarInfo: () => Promise.resolve(),
    narOf: () => Promise.resolve(""),
    removeNarsBut: () => Promise.resolve(),
    addRelease(release) {
      last = release;
      return Promise.resolve(true);
    },
  };
  const build = (look: Look) => workshop.build(expression(look));
  const look = (killAfterMs?: number) => runLook(env, killAfterMs);
  const wish = (release: object | undefined) => {
    const content = JSON.stringify({ version: 1, secrets: {}, ...(release && { system: release }) });
    const properties = { userData: Buffer.from(content).toString("base64") };
    rig.cloud.put(fixture.machine(rig.cloud, [rig.ids.guest], { properties }));
  };
  const publishSystem = async (system: string) => {
    const before = { ...process.env };
    Object.assign(process.env, workshop.env);
    try {
      const { signal } = new AbortController();
      const there = await store.paths();
      const known = { there, inImage: new Set<string>(), before: last };
      return (await publish({ stack: "dev", system }, known, { store, key, signal })).release;
    } finally {
      process.env = before;
    }
  };
  return {
    rig,
    key,
    guest,
    env,
    blobs,
    put,
    reboot,
    build,
    buildOther: () => workshop.build(trivial("other", "busybox mkdir $out")),
    publish: publishSystem,
    ask: wish,
    look,
    async update(wanted) {
      const release = await publishSystem(build(wanted));
      wish(release);
      return { release, ...(await look()) };
    },
    async remove(name) {
      await request("DELETE", name);
      blobs.delete(name);
    },
    mayRead(may) {
      const assignment = reader(rig.cloud, rig.ids);
      if (may) rig.cloud.put(assignment);
      else rig.cloud.remove(assignment.id);
    },
    running: () => link("run/current-system"),
    bootDefault: () => link("boot-default"),
    outcome: () => JSON.parse(fs.readFileSync(file("var/lib/sealed-onion/update.json"), "utf8")),
    page: () => fs.readFileSync(guest.real(fs.readlinkSync(file("etc/page"))), "utf8").trim(),
    async close() {
      await machine.close();
      await rig.close();
      guest.remove();
      workshop.remove();
    },
  };
}

/** What GRUB does with its environment block. @returns the system that is booted once */
function takeNext(folder: string): string | undefined {
  if (!fs.existsSync(path.join(folder, "grubenv"))) return undefined;
  const [, entry] = /^next_entry=All>(.*)$/m.exec(fs.readFileSync(path.join(folder, "grubenv"), "utf8")) ?? [];
  fs.rmSync(path.join(folder, "grubenv"));
  const menu = fs.readFileSync(path.join(folder, "grub.cfg"), "utf8");
  return entry && new RegExp(`"${entry}" \\{\\n.* init=(.*)/init`).exec(menu)?.[1];
}

function isLink(file: string): boolean {
  return fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

/** The container, and who may do what there: the workstation write, the machine read. */
function furnish({ azure, cloud, ids }: Rig): void {
  const { account, group } = ids;
  const properties = { allowBlobPublicAccess: false, allowSharedKeyAccess: false };
  const [type, location] = ["Microsoft.Storage/storageAccounts", "westeurope"];
  cloud.put({ id: account, type, name: ACCOUNT, location, properties });
  const id = `${account}/blobServices/default/containers/systems`;
  cloud.put({ id, type: `${type}/blobServices/containers`, name: "systems", properties: {} });
  const { objectId } = azure.workstation.principal;
  cloud.put(fixture.assignment(group, objectId, fixture.roleId(cloud, BLOB_CONTRIBUTOR)));
  cloud.put(reader(cloud, ids));
}

/** The machine's right, to this container alone. */
function reader(cloud: Rig["cloud"], { account }: Rig["ids"]) {
  const scope = `${account}/blobServices/default/containers/systems`;
  return fixture.assignment(scope, GUEST.principalId, fixture.roleId(cloud, BLOB_READER));
}

function layOut(root: string, system: string): void {
  const write = (file: string, content: string) => {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), content);
  };
  write("proc/sys/kernel/random/boot_id", `${randomUUID()}\n`);
  write("proc/net/unix", "");
  write("proc/net/tcp", fs.readFileSync(path.join(root, system, "tcp"), "utf8"));
  const published = { published: "2026-06-01T00:00:00Z", state: "own" };
  write("run/sealed-onion-status/descriptors.json", JSON.stringify({ [HOSTNAME]: published }));
  for (const name of ["current-system", "booted-system"]) fs.symlinkSync(system, path.join(root, "run", name));
  fs.rmSync(path.join(root, "etc"), { force: true });
  fs.symlinkSync(path.join(root, system, "etc"), path.join(root, "etc"));
}

function environmentOf(machine: Machine, guest: ScratchStore, key: SigningKey): Record<string, string> {
  const bin = path.join(guest.folder, "bin");
  fs.mkdirSync(bin);
  const program = (name: string, text: string) => fs.writeFileSync(path.join(bin, name), text, { mode: 0o755 });
  program("systemctl", SYSTEMCTL);
  program("journalctl", "#!/bin/sh\n");
  for (const name of ["fetch-closure", "find-silent", "await-serving", "boot-once"]) {
    const script = path.resolve("nix", "scripts", `${name}.sh`);
    program(name, `#!/bin/sh\nexec bash -o errexit -o nounset -o pipefail ${script} "$@"\n`);
  }
  return {
    ...machine.env,
    ...guest.env,
    PATH: `${bin}:${process.env.PATH}`,
    HOME: guest.folder,
    AZURE_CLIENT_ID: GUEST.clientId,
    SEALED_ONION_ROOT: guest.folder,
    SEALED_ONION_STACK: "dev",
    SEALED_ONION_PUBLIC_KEY: key.publicKey,
    SEALED_ONION_SYSTEMS: SYSTEMS,
    SEALED_ONION_GRUB: "/boot/grub",
    SEALED_ONION_KEEP: "1",
    SEALED_ONION_REBOOT: "manual",
    SEALED_ONION_PATIENCE: "2",
    SEALED_ONION_PAUSE: "0.05",
  };
}

function runLook(env: Record<string, string>, killAfterMs?: number): Promise<{ code: number | null; stderr: string }> {
  const options = ["-o", "errexit", "-o", "nounset", "-o", "pipefail"];
  const script = path.resolve("nix", "scripts", "update-system.sh");
  const child = spawn("bash", [...options, script], { env, detached: true, stdio: ["ignore", "ignore", "pipe"] });
  const kill = () => process.kill(-(child.pid ?? 0), "SIGKILL");
  const timer = killAfterMs === undefined ? undefined : setTimeout(kill, killAfterMs);
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => clearTimeout(timer));
    child.once("close", (code) => resolve({ code, stderr }));
  });
}
