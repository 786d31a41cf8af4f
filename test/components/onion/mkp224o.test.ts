import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { onionHostname } from "../../../components/onion/hostname";
import { formatSecretKeyFile, onionKeyFromSeed } from "../../../components/onion/keys";
import { measureMkp224o, searchWithMkp224o } from "../../../components/onion/mkp224o";
import { findVanityKey } from "../../../components/onion/vanity/vanity";
import { findOnPath } from "../../../components/process/find-program";

const mkp224o = findOnPath("mkp224o");
const withMkp224o = test.skipIf(mkp224o === undefined);
const skipped = mkp224o === undefined ? " (skipped: mkp224o is not on PATH)" : "";
const limitMs = 86_400_000;
const key = onionKeyFromSeed(Buffer.alloc(32, 3));
const hostname = onionHostname(key.publicKey);
const prefix = hostname.slice(0, 3);
const file = formatSecretKeyFile(key);
let directory = "";

beforeAll(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "mkp224o-"));
});

afterAll(() => {
  fs.rmSync(directory, { recursive: true, force: true });
});

withMkp224o(`mkp224o finds a key and leaves no file${skipped}`, async () => {
  const found = await searchWithMkp224o("mk2", { limitMs });
  expect(onionHostname(found.publicKey)).toMatch(/^mk2/);
  expect(fs.existsSync(onionHostname(found.publicKey))).toBe(false); // the folder that it makes without -y
});

withMkp224o(`mkp224o is refused a prefix that would take it too long${skipped}`, async () => {
  await expect(searchWithMkp224o("abcdefgh", { limitMs: 60_000 })).rejects.toThrow(
    /^vanity prefix "abcdefgh" would take about [\d,]+ (h|days) at the [\d,]+ keys a second of this machine, at most 60 s/,
  );
});

/** A program in mkp224o's place, for what the real one does not do. */
function standIn(name: string, script: string): string {
  const program = path.join(directory, name);
  fs.writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return program;
}

function yaml(secretKeyFile: Buffer): string {
  return `cat <<'YAML'\n---\nhostname: ${hostname}\nhs_ed25519_secret_key: ${secretKeyFile.toString("base64")}\nYAML`;
}

test("its key is taken from the pipe that it writes to, asked for one key as YAML", async () => {
  const program = standIn("sound", `printf '%s\\n' "$*" > "$0.arguments"\n${yaml(file)}`);
  const found = await searchWithMkp224o(prefix, { program, limitMs });
  expect(onionHostname(found.publicKey)).toBe(hostname);
  expect(fs.readFileSync(`${program}.arguments`, "utf8")).toBe(`-n 1 -y ${prefix}\n`);
});

test.each([
  [
    "wrong",
    yaml(file),
    "77777",
    /^mkp224o gave a key whose hostname does not start with 77777: take mkp224o off PATH to search without it$/,
  ],
  ["damaged", yaml(file.subarray(0, 90)), prefix, /^onion secret key is damaged: it is 90 bytes long, must be 96/],
  ["silent", "true", prefix, /^onion secret key is damaged: it is 0 bytes long, must be 96/],
  [
    "failing",
    "echo starting >&2; echo no entropy >&2; exit 3",
    prefix,
    /^mkp224o ended with exit code 3: no entropy: take mkp224o off PATH to search without it$/,
  ],
])("a %s one is an error that shows nothing of the key", async (name, script, wanted, reason) => {
  const search = searchWithMkp224o(wanted, { program: standIn(name, script), limitMs });
  await expect(search).rejects.toThrow(reason);
  await expect(search).rejects.not.toThrow(file.subarray(32).toString("base64").slice(0, 16));
});

test("one on PATH is used, and the user is told so", async () => {
  standIn("mkp224o", yaml(file));
  vi.stubEnv("PATH", `${directory}${path.delimiter}${process.env.PATH}`);
  try {
    const lines: string[] = [];
    const found = await findVanityKey(prefix, { report: (line) => lines.push(line) });
    expect(onionHostname(found.publicKey)).toBe(hostname);
    expect(lines).toEqual([`looking for an onion hostname that starts with ${prefix} with mkp224o`]);
  } finally {
    vi.unstubAllEnvs();
  }
});

test("its speed is the mean of its own figures but the first", async () => {
  const figures = [9000, 100, 300].map((speed) => `echo '>calc/sec:${speed}.5, succ/sec:0.0' >&2`).join("\n");
  expect(await measureMkp224o(standIn("speed", figures))).toBe(200.5);
  await expect(measureMkp224o(standIn("mute", "echo unrecognized argument >&2; exit 1"))).rejects.toThrow(
    "mkp224o does not tell its speed: unrecognized argument: take mkp224o off PATH to search without it",
  );
});
