import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import programs from "../../components/start/programs.json";
import { volume } from "../volume";

/**
 * Each program is started as Pulumi, npm or a mistake would start it, with noise for arguments, standard input,
 * environment and files. Whatever comes of it, a person can read it. More with `npm test -- --long`.
 */
const runs = volume({ usual: 6, long: 60 });
/** What waits for Azure by design is interrupted as a person would. Milliseconds. */
const patienceMs = 3_000;
const secret = "PLAINTEXT-7f3a91";

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "entry-points-"));
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

interface Noise {
  argv: string[];
  stdin: string;
  environment: Record<string, string | undefined>;
  files: Record<string, string>;
}

const url = "https://test-vault.vault.azure.net/keys/sealing/0123456789abcdef0123456789abcdef";
const blob = "https://account.blob.core.windows.net/images/dev-0123456789abcdef.vhd";
const garbage = fc.oneof(
  fc.constantFrom(
    "",
    "-",
    "0",
    "-1",
    "NaN",
    "null",
    "[]",
    "{}",
    '{"',
    "../..",
    "/",
    "a\nb",
    "\u{1f9c5}",
    "x".repeat(5000),
  ),
  fc.string({ maxLength: 40 }).map((text) => text.replaceAll("\0", "")),
);
const often = (...usual: string[]) => fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...usual) }, garbage);
const maybe = (...usual: string[]) => fc.option(often(...usual), { nil: undefined, freq: 6 });
const json = (value: unknown) => JSON.stringify(value);

const sources = [
  { file: "token" },
  { file: "." },
  { env: "API_TOKEN" },
  { pass: "entry" },
  { onion: {} },
  { what: 1 },
].concat([
  { command: ["sh", "-c", "exit 3"] } as never,
  { command: ["no-such-program"] } as never,
  { onion: { prefix: "a" } } as never,
]);
const variables = fc.record<Record<string, string | undefined>>({
  STACK: maybe("dev", "other"),
  SECRET: maybe("token", "onion-key"),
  SOURCE: maybe(...sources.map(json)),
  KIND: maybe("", "onion"),
  GENERATION: maybe("1", "2"),
  FROM: maybe("", "old"),
  FINGERPRINT: maybe("file:1", "onion:#1"),
  KEY_URL: maybe(url),
  RECIPIENTS: maybe(json({ age: [], pgp: [] }), json({ age: ["age1x"], pgp: ["A"] })),
  EXPECTED_HOSTNAME: maybe("", "x.onion", "hostname"),
  PULUMI_COMMAND_STDOUT: maybe(json({ generation: 1, hostname: "x.onion" }), "7"),
  FACTS: maybe("{}"),
  NIX_DIGEST: maybe("0123"),
  BUILDER: maybe("vhd:token", "vhd:gone.vhd", json(["false"]), json(["no-such-program"])),
  BLOB_URL: maybe(blob, `${blob}?sig=${secret}`),
  CONTAINER_URL: maybe("https://account.blob.core.windows.net/images"),
  DIGEST: maybe("0123456789abcdef0123456789abcdef"),
  VHD: maybe("token", json({ vhd: "token", stamp: "1" }), json({ vhd: null })),
  CURRENT: maybe("dev-1.vhd"),
  KEEP: maybe("2"),
  MACHINE: maybe("vm-dev"),
  PATIENCE: maybe("1"),
  VAULT: maybe("test-vault"),
  PREVIEW_STATUS: maybe("0", "1"),
  EDITOR: maybe("true", "false", "no-such-editor"),
  PASSWORD_STORE_DIR: maybe("store", "/"),
  XDG_RUNTIME_DIR: maybe("gone", "token"),
  TMPDIR: maybe(os.tmpdir(), "gone"),
  ARM_CLIENT_ID: maybe("01234567-89ab-4def-8123-456789abcdef"),
  ARM_TENANT_ID: maybe("01234567-89ab-4def-8123-456789abcdef"),
  ARM_CLIENT_SECRET: maybe(secret),
  ARM_CLIENT_CERTIFICATE_PATH: maybe("token", "gone.pem"),
  ARM_USE_OIDC: maybe("true"),
  ARM_OIDC_TOKEN_FILE_PATH: maybe("gone"),
  SEALED_ONION_SAS: maybe(`sv=1&sig=${secret}`),
  API_TOKEN: fc.constant(secret),
});

const words = fc.array(
  often(
    ...[
      "--remove",
      "--stack",
      "dev",
      "--json",
      "--offline",
      "--all",
      "--force",
      "--watch",
      "--help",
      "--cost",
      "--role",
    ],
    ...["list", "show", "edit", "reseal", "adopt", "token", "onion-key", "preview.json", "--prometheus", "--what"],
  ),
  { maxLength: 4 },
);

const record = { version: 1, source: { file: "token" }, generation: 1, fingerprint: "file:1", keyUrl: url };
const yaml = "config:\n  azure-native:location: westeurope\n  sealed-onion:secrets: {token: {source: {file: token}}}\n";
const files = fc.record<Record<string, string>>(
  {
    token: fc.constant(secret),
    "Pulumi.yaml": often("name: sealed-onion\nruntime: nodejs\n", "name: [", "7"),
    "Pulumi.dev.yaml": often(yaml, `${yaml}  sealed-onion:recipients: "{"\n`, "config: 7\n", "config:\n  a: [\n"),
    "nix/stacks/dev/facts.json": often(json({ vault: { keyUrl: url } }), json({ vault: { keyUrl: 7 } }), "{", "null"),
    "nix/stacks/dev/token.sops.json": often("{}", json({ data: "x", sops: {} }), "<<<<<<< HEAD"),
    "nix/stacks/dev/token.seal.json": often(json({ ...record, recipients: { age: [], pgp: [] } }), "{", "[]"),
    "preview.json": often("{}", '{"steps":[{}]}', '{"steps":7}', '{"steps":[{"op":"create","urn":"x"}]}', "no plan"),
    "store/entry.gpg": fc.constant("no message"),
  },
  { requiredKeys: ["token"] },
);

const noise: fc.Arbitrary<Noise> = fc.record({
  argv: words,
  stdin: often("", json({ settings: {}, helper: "h" }), json({ settings: 7 }), "a key", '{"steps":[]}'),
  environment: variables,
  files,
});

/** Starts a program in a folder with these files. Nothing of it reaches a network: what it is to go through is closed. */
function start(program: string, { argv, stdin, environment, files: content }: Noise) {
  const project = fs.mkdtempSync(path.join(folder, "run-"));
  for (const [file, text] of Object.entries(content)) {
    fs.mkdirSync(path.dirname(path.join(project, file)), { recursive: true });
    fs.writeFileSync(path.join(project, file), text, { mode: 0o600 });
  }
  const closed = "http://127.0.0.1:9";
  const usual = { PATH: process.env.PATH, HOME: project, SEAL_PATIENCE_SECONDS: "0", AZURE_CONFIG_DIR: project };
  const env = { ...usual, ...environment, HTTPS_PROXY: closed, HTTP_PROXY: closed, NO_PROXY: "" };
  const usable = Object.entries(env).filter(([, value]) => value !== undefined && !value.includes("\0"));
  const child = spawn(process.execPath, [path.resolve("components/start/run.mjs"), program, ...argv], {
    cwd: project,
    env: Object.fromEntries(usable),
  });
  child.stdin.on("error", () => {}).end(stdin);
  const timers = [setTimeout(() => child.kill("SIGINT"), patienceMs), setTimeout(() => child.kill("SIGKILL"), 30_000)];
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
    });
  }
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      for (const timer of timers) clearTimeout(timer);
      fs.rmSync(project, { recursive: true, force: true });
      resolve({ code: signal === "SIGINT" ? 130 : code, ...said });
    });
  });
}

/** What no person should have to read. */
const unreadable: readonly (readonly [string, RegExp])[] = [
  ["a stack trace", /^\s+at (?:.+ \()?(?:node:|file:|\/).*:\d+:\d+\)?$/m],
  ["Node's own report", /node:internal|^Node\.js v|UnhandledPromise|\(Use `node|DeprecationWarning|triggerUncaught/m],
  [
    "a code of the operating system",
    /\b(?:errno|syscall)\b|\bE(?:NOENT|ACCES|PERM|ISDIR|NOTDIR|EXIST|NOSPC|INVAL|CONN\w+|PIPE|ROFS|XDEV|2BIG|BADF|NAMETOOLONG|LOOP)\b/,
  ],
  ["JSON of an error", /[{[]\s*"(?:error|code|message|stack|errno|syscall|name)"\s*:/],
  [
    "a value that JavaScript shows",
    /\[object |\bundefined\b|\bNaN is not\b|is not (?:a function|iterable)|Cannot read prop/,
  ],
  ["a mistake of the program", /a mistake of this program/],
  ["a secret", new RegExp(secret)],
];

describe.each(Object.keys(programs))("%s", (program) => {
  it(
    "says in words what is wrong, whatever it is given",
    async () => {
      await fc.assert(
        fc.asyncProperty(noise, async (given) => {
          const { code, stdout, stderr } = await start(program, given);
          // A path or a word that was typed wrong is named as it was typed.
          const typed = [...given.argv, ...Object.values(given.environment)].filter((text) => text && text.length > 3);
          const said = typed.reduce<string>((text, word) => text.replaceAll(word ?? "", "…"), stdout + stderr);
          const whole = program === "secrets" && given.argv.includes("show") ? stderr : stdout + stderr;
          for (const [what, pattern] of unreadable) {
            const shown = what === "a secret" ? whole : said;
            expect(pattern.exec(shown)?.[0], `${what} in: ${stderr || stdout}`).toBeUndefined();
          }
          expect([0, 1, 2, 3, 130], stderr).toContain(code);
          if (code !== 0 && code !== 130) expect((stderr + stdout).trim(), "a reason").not.toBe("");
        }),
        {
          numRuns: runs,
          endOnFailure: true,
          ...(process.env.ENTRY_POINT_SEED && { seed: Number(process.env.ENTRY_POINT_SEED) }),
        },
      );
    },
    Math.max(120_000, runs * 10_000),
  );
});

it("a word that is no program is answered with those there are", async () => {
  const none = { argv: [], stdin: "", environment: {}, files: {} };
  for (const word of ["toString", "seel", "../x"]) {
    expect(await start(word, none)).toMatchObject({ code: 2, stderr: expect.stringMatching(/^there is no program /) });
  }
});
