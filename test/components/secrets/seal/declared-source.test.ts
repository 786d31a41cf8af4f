import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findOnPath } from "../../../../components/process/find-program";
import { fingerprint } from "../../../../components/secrets/fingerprint";
import type { SecretSource } from "../../../../components/secrets/sources/sources";
import { openSealed, type Sealing, startSealing } from "../sealing";

const key = Buffer.alloc(32, 7);
const input = key.toString("base64");
const noSops = !findOnPath("sops");
let sealing: Sealing;
let before: string;

beforeAll(async () => {
  sealing = await startSealing();
  before = process.cwd();
  process.chdir(sealing.folder);
});
afterAll(async () => {
  process.chdir(before);
  await sealing.close();
});
beforeEach(() => void sealing.write("token", "one"));

const source = { file: "token" };
const open = async (name: string) => (await openSealed(sealing, `nix/stacks/dev/${name}.sops.json`)).toString();

/** The fingerprint that a preview takes now. */
function planned(name: string, of: SecretSource = source): Promise<string> {
  return fingerprint({ name, source: of, generation: 1 }, { stack: "dev", key, recorded: recordOf(name) });
}

function recordOf(name: string) {
  try {
    return sealing.record(name);
  } catch {
    return undefined; // not sealed yet
  }
}

async function seal(name: string, of: SecretSource = source, plan?: string) {
  return sealing.run({ name, source: of, fingerprint: plan ?? (await planned(name, of)) }, { input });
}

describe.skipIf(noSops)(`the source that was declared${noSops ? " (skipped: needs sops on PATH)" : ""}`, () => {
  it("is sealed under the fingerprint of what was read, if it changed since the preview", async () => {
    const plan = await planned("changing");
    sealing.write("token", "two");
    const run = await seal("changing", source, plan);
    expect(run).toMatchObject({
      code: 0,
      stderr: "its source changed since the preview: what it says now is sealed\n",
    });
    expect(sealing.record("changing").fingerprint).toBe(await planned("changing"));
    expect(run.result.fingerprint).toBe(await planned("changing"));
    expect(await open("changing")).toBe("two");
    sealing.write("token", "one"); // what the preview saw is another secret than what is sealed
    expect(await planned("changing")).not.toBe(sealing.record("changing").fingerprint);
  });

  it.each([
    [{ file: "nowhere" }, "source file:nowhere does not exist"],
    [{ env: "NOT_SET_HERE" }, "source env:NOT_SET_HERE is not set"],
    [{ pass: "no/entry" }, "source pass:no/entry is not in the password store"],
    [{ command: ["no-such-tool"] }, "source command:no-such-tool is not on PATH"],
  ] as [SecretSource, string][])("is missed where it became %j, which is not there", async (next, message) => {
    expect(await seal("kept")).toMatchObject({ code: 0 });
    const [file, record] = [sealing.read("nix/stacks/dev/kept.sops.json"), sealing.record("kept")];
    const run = await seal("kept", next);
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toContain(`kept: ${message}`);
    expect(sealing.read("nix/stacks/dev/kept.sops.json")).toEqual(file);
    expect(sealing.record("kept")).toEqual(record);
  });

  it("stays sealed where it is not on this machine, but what is sealed was made from it", async () => {
    await seal("elsewhere");
    await sealing.startRaw("rm", ["-f", "token"]);
    const file = sealing.read("nix/stacks/dev/elsewhere.sops.json");
    expect(await seal("elsewhere")).toMatchObject({ code: 0, result: { action: "unchanged" } });
    expect(sealing.read("nix/stacks/dev/elsewhere.sops.json")).toEqual(file);
  });

  it("is refused where it holds bytes that would be lost", async () => {
    const through = ["sh", "-c", `RAW=$(printf 'a\\377b') && export RAW && exec "$@"`, "sh"];
    const run = await sealing.run({ name: "raw", source: { env: "RAW" } }, { through });
    expect(run).toMatchObject({
      code: 1,
      stderr: "raw: source env:RAW holds bytes that are no UTF-8: put them into a file source\n",
    });
  });

  it("takes every byte of a file as it is", async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    sealing.write("token", bytes);
    await seal("bytes");
    expect(await openSealed(sealing, "nix/stacks/dev/bytes.sops.json")).toEqual(bytes);
  });
});
