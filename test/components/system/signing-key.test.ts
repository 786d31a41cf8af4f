import * as fs from "node:fs";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findOnPath } from "../../../components/process/find-program";
import { readSigningKey } from "../../../components/system/signing-key/signing-key";
import { openSealed, type Sealing, startSealing } from "../secrets/sealing";

const SEALED = "nix/stacks/dev/system-signing-key.sops.json";
const PUBLIC = "nix/stacks/dev/system-signing-key.pub";
const AGE = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

describe.skipIf(!findOnPath("sops"))("the key that signs systems (skipped without sops)", () => {
  let sealing: Sealing;
  beforeEach(async () => {
    sealing = await startSealing();
  });
  afterEach(() => sealing.close());

  const make = async (recipients: { age: string[]; pgp: string[] } = { age: [], pgp: [] }) => {
    const environment = { STACK: "dev", KEY_URL: sealing.keyUrl, RECIPIENTS: JSON.stringify(recipients) };
    const run = await sealing.start("signing-key", [], { environment });
    return { ...run, publicKey: run.code === 0 ? (JSON.parse(run.stdout) as { publicKey: string }).publicKey : "" };
  };
  const privateOf = async () => (await openSealed(sealing, SEALED)).toString();

  it("is made once, opens by the vault, and stands in clear nowhere", async () => {
    const { publicKey, stderr } = await make();
    expect(sealing.read(PUBLIC).toString()).toBe(`${publicKey}\n`);
    const clear = await privateOf();
    expect(readSigningKey(Buffer.from(clear)).publicKey).toBe(publicKey);
    const [, secret = ""] = clear.split(":");
    const files = fs.readdirSync(sealing.folder, { recursive: true, withFileTypes: true }).filter((f) => f.isFile());
    for (const { name, parentPath } of files) {
      expect(fs.readFileSync(path.join(parentPath, name), "latin1")).not.toContain(secret.slice(0, 40));
    }
    expect(stderr).not.toContain(secret.slice(0, 40));
    const before = sealing.read(SEALED);
    expect((await make()).publicKey).toBe(publicKey);
    expect(sealing.read(SEALED)).toEqual(before);
  });

  it("stays the same key when it is sealed for others", async () => {
    const { publicKey } = await make();
    expect((await make({ age: [AGE], pgp: [] })).publicKey).toBe(publicKey);
    expect(sealing.read(SEALED).toString()).toContain(AGE);
  });

  it("whose sealed file is lost is not made again: no machine would take what another key has signed", async () => {
    await make();
    fs.rmSync(path.join(sealing.folder, SEALED));
    const { code, stderr } = await make();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^signing key: sealed file .*system-signing-key\.sops\.json is missing: restore it/);
  });

  it("is another one where both of its files were taken away, as day-two.md says", async () => {
    const { publicKey } = await make();
    for (const file of [SEALED, PUBLIC]) fs.rmSync(path.join(sealing.folder, file));
    const { code, publicKey: next } = await make();
    expect([code, next === publicKey]).toEqual([0, false]);
    expect(readSigningKey(Buffer.from(await privateOf())).publicKey).toBe(next);
  });

  it("whose public half is lost, as by a kill between the two, is found by opening it", async () => {
    const { publicKey } = await make();
    fs.rmSync(path.join(sealing.folder, PUBLIC));
    expect((await make()).publicKey).toBe(publicKey);
  });

  it("that is damaged is left alone", async () => {
    await make();
    sealing.write(SEALED, "{}");
    const { code, stderr } = await make();
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining("is damaged: restore it") });
  });
});
