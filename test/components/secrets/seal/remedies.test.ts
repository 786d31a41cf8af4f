import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { KeyAttributes } from "loopback-azure/key-vault/key-store";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findOnPath } from "../../../../components/process/find-program";
import type { SealResult } from "../../../../components/secrets/seal/seal-request";
import { type AzCommand, azCommand } from "../../az-command";
import { type RunOptions, type Sealing, type SecretParameters, startSealing } from "../sealing";

const missing = ["sops", "git"].filter((tool) => !findOnPath(tool));
const why = missing.length > 0 ? ` (skipped: needs ${missing.join(", ")} on PATH)` : "";

/** Whether a file system of our own can be mounted where nobody else sees it. */
const canMount =
  process.getuid?.() === 0 &&
  spawnSync("unshare", ["--mount", "mount", "-t", "tmpfs", "tmpfs", os.tmpdir()]).status === 0;

/** Of `components/doctor/failures.md`: what goes wrong, what is read of it, and the remedy as the line says it. */
interface Row {
  readonly row: string;
  /** Breaks something. @returns what the run gets besides */
  readonly breaks: (stage: Stage) => Partial<Given> | undefined;
  readonly says: RegExp;
  /** Does what the line that was read says. @returns what the run gets besides from then on */
  readonly remedy: (stage: Stage, said: string) => Promise<Partial<Given>> | Partial<Given> | undefined;
}

interface Given {
  secret: Partial<SecretParameters>;
  options: RunOptions;
}

interface Stage {
  readonly sealing: Sealing;
  readonly previous: SealResult;
  git(...words: string[]): void;
  /** A program in place of sops, which does this with what it is asked. @returns the environment to run with */
  sops(script: string): RunOptions;
  updateKey(change: Partial<KeyAttributes>): void;
  /** Azure's CLI, logged in to another tenant or to none. @returns the environment in which it is the only login */
  az(loggedIn?: string): RunOptions;
  /** Types a command at it. */
  typeAz(command: AzCommand): void;
  file(name: string): string;
}

const HOST = "test-vault.vault.azure.net";
const ELSEWHERE = "99999999-8888-4777-8666-555555555555";
/** Without the workstation's own login. */
const nobody = { AZURE_CLIENT_ID: undefined, AZURE_CLIENT_SECRET: undefined, AZURE_TENANT_ID: undefined };
const day = 86_400;
const soon = () => Math.floor(Date.now() / 1000);
const onionFiles = "nix/stacks/dev/onion-key.*";
const nothing = () => undefined;
/** As a person types the end of the line. */
const attributes = ({ updateKey, sealing }: Stage, said: string) => {
  const { verb, options } = azCommand(said);
  expect([verb, options.id]).toEqual(["keyvault key set-attributes", sealing.keyUrl]);
  const time = (text: string) => Date.parse(text) / 1000;
  return void updateKey({
    ...(options.enabled && { enabled: options.enabled === "true" }),
    ...(options.expires && { expires: time(options.expires.replace("LATER", "2199-01-01")) }),
    ...(options["not-before"] && { notBefore: time(options["not-before"]) }),
    ...(options.ops && { keyOps: options.ops.split(" ") as KeyAttributes["keyOps"] }),
  });
};
const checkout = ({ git }: Stage) => void git("checkout", "--", onionFiles);

const rows: Row[] = [
  {
    row: "source file:… is readable by everybody",
    breaks: ({ file }) => void fs.chmodSync(file("token"), 0o644),
    says: /source file:token is readable by everybody \(mode 0644\): chmod o-rwx token/,
    remedy: ({ file }) => void execFileSync("chmod", ["600", file("token")]),
  },
  {
    row: "sops is not on PATH",
    breaks: ({ file }) => {
      const bin = fs.mkdtempSync(file("bin-"));
      for (const name of ["sh", "cat"]) fs.symlinkSync(findOnPath(name) ?? "", path.join(bin, name));
      return { options: { environment: { PATH: bin } } };
    },
    says: /sops is not on PATH: /,
    remedy: nothing,
  },
  {
    row: "this sops is too old",
    breaks: ({ sops }) => ({
      options: sops("echo 'Error: flag provided but not defined: -filename-override' >&2; exit 1"),
    }),
    says: /this sops is too old: install 3\.11 or later/,
    remedy: nothing,
  },
  {
    row: "Key Vault answers 403 Forbidden",
    breaks: ({ sealing }) => void sealing.allow([]),
    says: /Key Vault answers 403 .*: add servicePrincipal:\S+ to sealed-onion:sealers/,
    remedy: ({ sealing }, said) => {
      const [, named] = /add servicePrincipal:(\S+) to sealed-onion:sealers/.exec(said) ?? [];
      return void sealing.allow(["get", "encrypt", "decrypt"], named); // as an up does with that configuration
    },
  },
  {
    row: "key … is disabled",
    breaks: ({ updateKey }) => void updateKey({ enabled: false }),
    says: /key \S+ is disabled: .*--enabled true/,
    remedy: attributes,
  },
  {
    row: "… expired on …",
    breaks: ({ updateKey }) => void updateKey({ expires: soon() - day }),
    says: /expired on 20.*--expires LATER/,
    remedy: attributes,
  },
  {
    row: "… is not valid before …",
    breaks: ({ updateKey }) => void updateKey({ notBefore: soon() + day }),
    says: /is not valid before 20.*--not-before/,
    remedy: attributes,
  },
  {
    row: "… is not for …",
    breaks: ({ updateKey }) => void updateKey({ keyOps: ["encrypt", "sign"] }),
    says: /key \S+ is not for decrypt: az keyvault key set-attributes --ops encrypt decrypt --id /,
    remedy: attributes,
  },
  {
    row: "Key Vault answers 404",
    breaks: ({ sealing }) => void sealing.azure.cloud.keys.remove(sealing.vaultId, "sealing"),
    says: /Key Vault answers 404 KeyNotFound.*az keyvault key recover/,
    remedy: ({ sealing }, said) => {
      const { verb, options } = azCommand(said);
      expect([verb, options["vault-name"]]).toEqual(["keyvault key recover", "test-vault"]);
      return void sealing.azure.cloud.keys.recover(sealing.vaultId, options.name ?? "");
    },
  },
  {
    row: "Key Vault answers 429",
    breaks: ({ sealing }) =>
      void sealing.azure.faults.add({ host: HOST, path: /encrypt/, effect: { kind: "answer", status: 429 } }),
    says: /Key Vault answers 429/,
    remedy: ({ sealing }) => void sealing.azure.faults.clear(),
  },
  {
    row: "no Azure credentials are at hand",
    breaks: () => ({ options: { environment: nobody } }),
    says: /no Azure credentials are at hand .*: log in with az login/,
    remedy: ({ az, typeAz }, said) => {
      const options = az();
      typeAz(azCommand(said.slice(said.indexOf("log in with"))));
      return { options };
    },
  },
  {
    row: "az gives no token, it says: …",
    breaks: ({ az }) => ({ options: az() }),
    says: /az gives no token, it says: Please run 'az login' to setup account: type az login/,
    remedy: ({ az, typeAz }, said) => {
      const options = az();
      typeAz(azCommand(said.slice(said.indexOf(": type "))));
      return { options };
    },
  },
  {
    row: "Entra refuses …: AADSTS…",
    breaks: () => ({ options: { environment: { AZURE_CLIENT_SECRET: "another" } } }),
    says: /Entra refuses AZURE_CLIENT_SECRET: AADSTS7000215/,
    remedy: nothing,
  },
  {
    row: "vault … is of tenant …, this login of tenant …",
    breaks: ({ az }) => ({ options: az(ELSEWHERE) }),
    says: new RegExp(`vault test-vault\\S* is of tenant \\S+, this login of tenant ${ELSEWHERE}: az login --tenant `),
    remedy: ({ az, typeAz }, said) => {
      const options = az(ELSEWHERE);
      typeAz(azCommand(said));
      return { options };
    },
  },
  {
    row: "sealed file … is missing here, git's HEAD has it",
    breaks: ({ file }) => void fs.rmSync(file("nix/stacks/dev/onion-key.sops.json")),
    says: /sealed file nix\/stacks\/dev\/onion-key.sops.json is missing here, git's HEAD has it .*git checkout HEAD --/,
    remedy: ({ git }) => void git("checkout", "HEAD", "--", onionFiles),
  },
  {
    row: "sealed file … is missing: …",
    breaks: ({ file, git }) => {
      git("update-ref", "-d", "HEAD"); // never committed, but git has it: git add
      fs.rmSync(file("nix/stacks/dev/onion-key.sops.json"));
      return undefined;
    },
    says: /sealed file nix\/stacks\/dev\/onion-key.sops.json is missing: restore it with git checkout -- /,
    remedy: ({ git }) => {
      git("checkout", "--", onionFiles);
      git("commit", "--quiet", "-m", "sealed");
      return undefined;
    },
  },
  {
    row: "… holds onion key …, it was …",
    breaks: ({ sealing, file }) => {
      fs.copyFileSync(file("other/onion-key.sops.json"), file("nix/stacks/dev/onion-key.sops.json"));
      return void sealing;
    },
    says: /nix\/stacks\/dev\/onion-key.sops.json holds onion key \S+, it was \S+: git checkout -- /,
    remedy: checkout,
  },
  {
    row: "… is the sealed file of secret …",
    breaks: ({ file }) => {
      fs.copyFileSync(file("nix/stacks/dev/second.sops.json"), file("nix/stacks/dev/onion-key.sops.json"));
      fs.rmSync(file("nix/stacks/dev/onion-key.seal.json"));
      return { options: { previous: undefined } };
    },
    says: /nix\/stacks\/dev\/onion-key.sops.json is the sealed file of secret second: git checkout -- /,
    remedy: checkout,
  },
  {
    row: "sealed file … is damaged",
    breaks: ({ file }) => void fs.writeFileSync(file("nix/stacks/dev/onion-key.sops.json"), "<<<<<<< HEAD\n"),
    says: /sealed file nix\/stacks\/dev\/onion-key.sops.json is damaged: restore it with git checkout -- /,
    remedy: checkout,
  },
  {
    row: "sops ended well, but printed nothing",
    breaks: ({ sops }) => ({ options: sops("exit 0") }),
    says: /sops ended well, but printed nothing: check that \S+ is sops itself/,
    remedy: nothing,
  },
  {
    row: "cannot seal: what sops printed …",
    breaks: ({ sops }) => ({ options: sops("cat >/dev/null; echo hello") }),
    says: /what sops printed \(6 bytes\) is no sealed file: check that \S+ is sops itself/,
    remedy: nothing,
  },
  {
    row: "the data key for … is empty or cut",
    breaks: ({ sealing }) =>
      void sealing.azure.faults.add({
        host: HOST,
        path: /encrypt/,
        effect: { kind: "answer", status: 200, body: "{}", headers: { "content-type": "application/json" } },
      }),
    says: /the data key for https:\S+ is empty or cut: check what answers there/,
    remedy: ({ sealing }) => void sealing.azure.faults.clear(), // nothing else answers there any more
  },
];

/** As far as a login goes: which tenant's token it gives. */
const AZ = `#!/bin/sh
here=$(dirname "$0")
case "$1 $2" in
"login --tenant") echo "$3" > "$here/tenant" ;;
"login ") echo "$HOME_TENANT" > "$here/tenant" ;;
"account get-access-token")
  [ -e "$here/tenant" ] || { echo "ERROR: Please run 'az login' to setup account." >&2; exit 1; }
  cat "$here/token-$(cat "$here/tenant")" ;;
*) echo "ERROR: '$*' is misspelled or not recognized." >&2; exit 2 ;;
esac
`;

/** Of a tenant that has no token service here: the vault refuses it, and its claims are read all the same. */
function tokenOf(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const times = { iat: soon(), nbf: soon() - 60, exp: soon() + 3600 };
  return [part({ alg: "RS256", typ: "JWT", kid: "theirs" }), part({ ...claims, ...times }), "c2ln"].join(".");
}

describe.skipIf(missing.length > 0)(`what failures.md says about sealing${why}`, () => {
  let sealing: Sealing;
  let stage: Stage;
  let token = 0;

  beforeAll(async () => {
    sealing = await startSealing();
    const file = (name: string) => path.join(sealing.folder, name);
    const git = (...words: string[]) => {
      const who = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false"];
      execFileSync("git", [...who, ...words], { cwd: sealing.folder, stdio: "pipe" });
    };
    const { result: previous } = await sealing.run({});
    await sealing.run({ name: "second" });
    await sealing.run({ stack: "other" });
    fs.mkdirSync(file("other"));
    fs.copyFileSync(file("nix/stacks/other/onion-key.sops.json"), file("other/onion-key.sops.json"));
    git("init", "--quiet");
    git("add", "nix/stacks");
    git("commit", "--quiet", "-m", "sealed");
    const { cloud, tokens, workstation } = sealing.azure;
    const principal = cloud.directory.principal(workstation.principal.objectId);
    if (principal === undefined) throw new Error("the workstation has no principal");
    const right = await tokens.issue({ principal, audience: "https://vault.azure.net" });
    const bin = file("az-bin");
    fs.mkdirSync(bin);
    const login = (tenant: string, accessToken: string) =>
      fs.writeFileSync(
        path.join(bin, `token-${tenant}`),
        JSON.stringify({ accessToken, expires_on: Math.floor(Date.now() / 1000) + 3600 }),
      );
    login(cloud.tenantId, right.token);
    login(ELSEWHERE, tokenOf({ tid: ELSEWHERE, oid: ELSEWHERE, upn: "jane@elsewhere.example" }));
    fs.writeFileSync(path.join(bin, "az"), AZ, { mode: 0o755 });
    const azEnvironment = { PATH: `${bin}:${process.env.PATH}` };
    stage = {
      az(loggedIn) {
        if (loggedIn) fs.writeFileSync(path.join(bin, "tenant"), loggedIn);
        else fs.rmSync(path.join(bin, "tenant"), { force: true });
        return { environment: { ...nobody, ...azEnvironment } };
      },
      typeAz({ verb, options }) {
        const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
        execFileSync(path.join(bin, "az"), [...verb.split(" "), ...words], {
          env: { ...process.env, HOME_TENANT: cloud.tenantId },
        });
      },
      sealing,
      previous,
      git,
      file,
      sops: (script) => {
        const bin = fs.mkdtempSync(file("sops-"));
        fs.writeFileSync(path.join(bin, "sops"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
        return { environment: { PATH: `${bin}:${process.env.PATH}` } };
      },
      updateKey: (change) =>
        void sealing.azure.cloud.keys.update(
          sealing.vaultId,
          "sealing",
          sealing.keyUrl.split("/").at(-1) ?? "",
          change,
        ),
    };
  });
  beforeEach(() => {
    token += 1;
    sealing.write("token", `value ${token}`);
  });
  afterEach(() => sealing.azure.faults.clear());
  afterAll(() => sealing.close());

  /** One `up`: a secret that has changed, and an onion key that has not. */
  async function up({ secret, options }: Partial<Given> = {}) {
    const environment = { SEAL_PATIENCE_SECONDS: "2", ...options?.environment };
    const onion = await sealing.run({ ...secret }, { previous: stage.previous, ...options, environment });
    const changed = await sealing.run(
      { name: "token", source: { file: "token" }, fingerprint: `file:${token}` },
      { ...options, environment, previous: undefined },
    );
    return { codes: [onion.code, changed.code], said: `${onion.stderr}${changed.stderr}`, onion };
  }

  it.skipIf(!canMount)(
    `cannot write …, the disk is full: its remedy ends in a healthy stack${canMount ? "" : " (skipped: needs root and unshare)"}`,
    async () => {
      const onSmallDisk = 'mount -t tmpfs -o size=4k tmpfs .cache/seal && exec "$@"';
      const broken = await up({ options: { through: ["unshare", "--mount", "sh", "-c", onSmallDisk, "sh"] } });
      expect(broken.codes).toContain(1);
      expect(broken.said).toMatch(/cannot write \S+, the disk is full: free some space, then run this again/);
      const healthy = await up();
      expect(healthy.codes, healthy.said).toEqual([0, 0]);
    },
  );

  it.each(rows)("$row: its remedy ends in a healthy stack", async ({ breaks, says, remedy }) => {
    const broken = await up(breaks(stage));
    expect(broken.codes).toContain(1);
    expect(broken.said).toMatch(says);
    const healthy = await up(await remedy(stage, broken.said));
    expect(healthy.codes, healthy.said).toEqual([0, 0]);
    expect(healthy.onion.result.hostname).toBe(stage.previous.hostname);
  });
});
