import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type { ResourceProvider } from "loopback-azure/provider/provider";
import { plainMap } from "loopback-azure/provider/values";
import { HOSTNAME } from "../../components/project-folder";
import { localCommand } from "../../rehearsal/providers/local-command";

type Environment = Readonly<Record<string, string>>;

/** What the pretended programs find and leave behind. */
interface Place {
  readonly folder: string;
  /** See `TestStack`. */
  readonly work: string[];
  /** Complete blobs by URL: when they were completed. */
  readonly blobs: Map<string, string>;
}

/**
 * The provider of commands, where a test is about diffs: checks, diffs and previews as the real one, but in place of
 * starting our programs it leaves behind and prints what they would, without their work.
 */
export function pretendedCommands(folder: string, work: string[]): ResourceProvider {
  const real = localCommand({ folder });
  const place: Place = { folder, work, blobs: new Map() };
  const run = (inputs: Record<string, unknown>, command: unknown) => {
    const [, program = "", flag = ""] = /run\.(?:mjs|sh) ([\w-]+) ?(.*)$/.exec(`${command}`) ?? [];
    const printed = pretend(program, flag, plainMap(inputs).environment as Environment, place);
    return { ...inputs, stdout: JSON.stringify(printed), stderr: "" };
  };
  return {
    ...real,
    create: async (request) => {
      if (request.preview) return real.create(request);
      return { id: request.name, outputs: run(request.inputs, request.inputs.create) };
    },
    update: async (request) => {
      if (request.preview) return real.update(request);
      return run(request.inputs, request.inputs.update);
    },
    delete: async ({ inputs }) => {
      if (inputs.delete !== undefined) run(inputs, inputs.delete);
    },
  };
}

function pretend(program: string, flag: string, environment: Environment, place: Place): object {
  const { folder } = place;
  switch (program) {
    case "seal":
      return flag === "--remove" ? removeSealed(environment, folder) : seal(environment, folder);
    case "build-image":
      return build(environment, place);
    case "upload-image":
      return upload(environment, place);
    case "signing-key":
      return { publicKey: "sealed-onion-dev:AAAA" };
    case "build-system":
      return { system: systemOf(environment) };
    case "publish-system":
      return publish(environment, place);
    default:
      return {};
  }
}

/** The same of the same, as Nix makes it. */
function systemOf({ FACTS, NIX_DIGEST, SEALED }: Environment): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([FACTS, NIX_DIGEST, SEALED]))
    .digest("hex");
  return `/nix/store/${hash.slice(0, 32)}-nixos-system`;
}

/** Each wish has a number of its own. */
function publish({ SYSTEM = "" }: Environment, { work }: Place): object {
  const { system } = JSON.parse(SYSTEM) as { system: string };
  work.push(`publish ${system}`);
  const generation = work.filter((done) => done.startsWith("publish ")).length;
  return { path: system, generation, signature: "sealed-onion-dev:AAAA" };
}

/** Where the blob is complete, nothing is built and nothing sent. */
function build({ BLOB_URL = "", DIGEST }: Environment, { blobs, work }: Place): object {
  if (blobs.has(BLOB_URL)) return { vhd: null, stamp: null, digest: DIGEST };
  work.push(`build ${DIGEST}`);
  return { vhd: "disk.vhd", stamp: "1", digest: DIGEST };
}

function upload({ BLOB_URL = "", DIGEST }: Environment, { blobs, work }: Place): object {
  const completedAt = blobs.get(BLOB_URL) ?? `2026-01-02T03:04:0${blobs.size}.000Z`;
  if (!blobs.has(BLOB_URL)) work.push(`upload ${DIGEST}`);
  blobs.set(BLOB_URL, completedAt);
  return { blobUrl: BLOB_URL, size: 1_048_576, completedAt };
}

function files({ STACK = "", SECRET = "" }: Environment, folder: string, name = SECRET) {
  const stack = path.join(folder, "nix", "stacks", STACK);
  return { sealed: path.join(stack, `${name}.sops.json`), record: path.join(stack, `${name}.seal.json`) };
}

function removeSealed(environment: Environment, folder: string): object {
  for (const file of Object.values(files(environment, folder))) fs.rmSync(file, { force: true });
  return {};
}

/** Ciphertext is another one for another plaintext, key or recipient, and the same for the same. */
function seal(environment: Environment, folder: string): object {
  const { FROM, KIND, GENERATION, FINGERPRINT, KEY_URL, RECIPIENTS = "", SOURCE = "" } = environment;
  const { sealed, record } = files(environment, folder);
  if (FROM) removeSealed({ ...environment, SECRET: FROM }, folder);
  fs.mkdirSync(path.dirname(sealed), { recursive: true });
  const content = JSON.stringify({ data: [FINGERPRINT, GENERATION, KEY_URL, RECIPIENTS] });
  const digest = createHash("sha256").update(content).digest("hex");
  const about = { version: 1, generation: Number(GENERATION), fingerprint: FINGERPRINT, keyUrl: KEY_URL, digest };
  const more = { source: JSON.parse(SOURCE), recipients: JSON.parse(RECIPIENTS), sealedAt: "2026-01-01T00:00:00.000Z" };
  const onion = KIND === "onion" ? { onion: { hostname: HOSTNAME } } : {};
  fs.writeFileSync(sealed, content);
  fs.writeFileSync(record, JSON.stringify({ ...about, ...more, ...onion }));
  return { digest };
}
