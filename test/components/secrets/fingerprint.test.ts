import { createHmac } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fingerprint } from "../../../components/secrets/fingerprint";
import type { SecretSource } from "../../../components/secrets/sources/sources";

const hmacKey = Buffer.alloc(32, 7);
let folder: string;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "fingerprint-"));
  vi.stubEnv("PASSWORD_STORE_DIR", folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  fs.rmSync(folder, { recursive: true });
});

interface Options {
  generation?: number;
  recorded?: string;
  recordedSource?: SecretSource;
  key?: Buffer;
  stack?: string;
  name?: string;
}

function of(source: SecretSource, options: Options = {}): Promise<string> {
  const { generation = 1, recorded, recordedSource = source, key = hmacKey, stack = "dev", name = "token" } = options;
  return fingerprint(
    { name, source, generation },
    { stack, key, recorded: recorded === undefined ? undefined : { source: recordedSource, fingerprint: recorded } },
  );
}

function file(name: string, content: string, mode = 0o600): string {
  const target = path.join(folder, name);
  fs.writeFileSync(target, content);
  fs.chmodSync(target, mode);
  return target;
}

describe("a file's fingerprint", () => {
  it("changes with the content and with the stack's key, and with nothing else", async () => {
    const source = { file: file("token", "one") };
    const first = await of(source);
    expect(first).toMatch(/^file:dev\/token:[0-9a-f]{64}$/);
    expect(await of(source, { generation: 2, recorded: "file:old" })).toBe(first);
    expect(await of(source, { key: Buffer.alloc(32, 8) })).not.toBe(first);
    file("token", "two");
    expect(await of(source)).not.toBe(first);
  });

  it("is the recorded one where the file is not there, as in a pull request's preview", async () => {
    expect(await of({ file: path.join(folder, "gone") }, { recorded: "file:old" })).toBe("file:old");
  });

  it("is `absent` where the recorded one was taken of another source", async () => {
    const recordedSource = { file: path.join(folder, "before") };
    expect(await of({ file: path.join(folder, "gone") }, { recorded: "file:old", recordedSource })).toBe("absent");
    expect(await of({ env: "NOT_SET_HERE" }, { recorded: "file:old", recordedSource })).toBe("absent");
  });

  it("differs for an equal content of another secret, and of the same secret in another stack", async () => {
    const source = { file: file("token", "one") };
    const others = [await of(source, { name: "other" }), await of(source, { stack: "prod" })];
    expect(new Set([await of(source), ...others].map((print) => print.split(":").at(-1))).size).toBe(3);
  });

  it("stays the recorded one while the content does: of the older form, and of the name it had before", async () => {
    const source = { file: file("token", "one") };
    const older = `file:${createHmac("sha256", hmacKey).update("one").digest("hex")}`;
    const renamed = await of(source, { name: "former" });
    expect(await of(source, { recorded: older })).toBe(older);
    expect(await of(source, { recorded: renamed })).toBe(renamed);
    file("token", "two");
    const changed = await of(source);
    expect(await of(source, { recorded: older })).toBe(changed);
    expect(await of(source, { recorded: renamed })).toBe(changed);
  });

  it("does not stay that of another kind of source with the same content", async () => {
    vi.stubEnv("A_SECRET", "one");
    const source = { file: file("token", "one") };
    expect(await of(source, { recorded: await of({ env: "A_SECRET" }) })).toBe(await of(source));
  });

  it("is `absent` where it was never sealed either", async () => {
    expect(await of({ file: path.join(folder, "gone") })).toBe("absent");
  });

  it("is refused, not replaced by the recorded one, where the file is readable by everybody", async () => {
    const source = { file: file("token", "hunter2", 0o644) };
    await expect(of(source, { recorded: "file:old" })).rejects.toThrow(
      /readable by everybody \(mode 0644\): chmod o-rwx /,
    );
  });

  it("is refused where the file is empty or no file", async () => {
    await expect(of({ file: file("token", "") })).rejects.toThrow(/is empty/);
    await expect(of({ file: folder })).rejects.toThrow(/is a directory/);
  });
});

describe("a variable's fingerprint", () => {
  it("changes with the value", async () => {
    vi.stubEnv("A_SECRET", "one");
    const first = await of({ env: "A_SECRET" });
    expect(first).toMatch(/^env:dev\/token:[0-9a-f]{64}$/);
    vi.stubEnv("A_SECRET", "two");
    expect(await of({ env: "A_SECRET" })).not.toBe(first);
  });

  it("is the recorded one where the variable is unset, or empty as CI leaves it for a fork", async () => {
    expect(await of({ env: "A_SECRET" }, { recorded: "env:old" })).toBe("env:old");
    vi.stubEnv("A_SECRET", "");
    expect(await of({ env: "A_SECRET" }, { recorded: "env:old" })).toBe("env:old");
  });
});

describe("a password store entry's fingerprint", () => {
  it("changes with the encrypted file, without a key and without decrypting", async () => {
    file("token.gpg", "ciphertext one");
    const first = await of({ pass: "token" });
    expect(first).toMatch(/^pass:[0-9a-f]{64}$/);
    expect(await of({ pass: "token" }, { key: Buffer.alloc(32) })).toBe(first);
    file("token.gpg", "ciphertext two");
    expect(await of({ pass: "token" })).not.toBe(first);
  });

  it("is the recorded one where there is no such entry or no store", async () => {
    expect(await of({ pass: "none" }, { recorded: "pass:old" })).toBe("pass:old");
  });
});

describe("a command's fingerprint", () => {
  it("changes with its arguments and the generation; the command is not run", async () => {
    const mark = path.join(folder, "ran");
    const first = await of({ command: ["touch", mark] });
    expect(first).toMatch(/^command:[0-9a-f]{64}$/);
    expect(await of({ command: ["touch", mark] })).toBe(first);
    expect(await of({ command: ["touch", mark] }, { generation: 2 })).not.toBe(first);
    expect(await of({ command: [`touch ${mark}`] })).not.toBe(first);
    expect(fs.existsSync(mark)).toBe(false);
  });
});

describe("an onion's fingerprint", () => {
  it("is its prefix and generation", async () => {
    expect(await of({ onion: {} })).toBe("onion:#1");
    expect(await of({ onion: { prefix: "tor" } }, { generation: 3 })).toBe("onion:tor#3");
  });
});

it("shows no byte of the plaintext", async () => {
  const plaintext = "correct horse battery staple";
  const print = await of({ file: file("token", plaintext) });
  expect(print).not.toContain(Buffer.from(plaintext).toString("hex").slice(0, 8));
});
