import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findOnPath } from "../../../../components/process/find-program";
import { sshHostKey } from "../../../../components/secrets/sources/ssh-host-key";
import { openSealed, type Sealing, startSealing } from "../sealing";

const publicPart = (content: Buffer) => sshHostKey.generates?.({}).publicPart(content);
const lacking = ["sops", "ssh-keygen"].filter((tool) => !findOnPath(tool as "sops"));

describe("a generated SSH host key", () => {
  it("is another one each time, known by its public half", async () => {
    const [one, other] = [await sshHostKey.read({}), await sshHostKey.read({})];
    expect(one.content.equals(other.content)).toBe(false);
    expect(one.publicPart).toMatch(/^ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI[A-Za-z0-9+/]{43}$/);
    expect(await publicPart(one.content)).toBe(one.publicPart);
  });

  it.each([
    ["nothing", () => Buffer.of()],
    ["another text", () => Buffer.from("hunter2\n")],
    ["its first half", (key: Buffer) => key.subarray(0, key.length / 2)],
    ["its armor alone", (key: Buffer) => Buffer.from(key.toString().replace(/\n[^-]+\n-/s, "\n-"))],
    ["one of another form", (key: Buffer) => Buffer.from(key.toString().replace("b3BlbnNza", "b3BlbnNzb"))],
  ])("is not taken to be in %s", async (_, change) => {
    const { content } = await sshHostKey.read({});
    await expect(publicPart(change(content))).rejects.toThrow("it holds no ed25519 key in OpenSSH's form");
  });
});

describe.skipIf(lacking.length > 0)(`a sealed SSH host key (skipped without ${lacking.join(", ")})`, () => {
  let sealing: Sealing;
  let folder: string;
  beforeAll(async () => {
    sealing = await startSealing();
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "host-key-"));
  });
  afterAll(async () => {
    await sealing.close();
    fs.rmSync(folder, { recursive: true, force: true });
  });
  const host = (name: string) => ({ name, source: { sshHostKey: {} }, fingerprint: "sshHostKey:#1" });

  it("is a key that OpenSSH reads, and its record names the public half", async () => {
    const { result } = await sealing.run(host("read"));
    const file = path.join(folder, "key"); // OpenSSH reads files alone; the key is nobody's
    fs.writeFileSync(file, await openSealed(sealing, "nix/stacks/dev/read.sops.json"), { mode: 0o600 });
    const line = execFileSync("ssh-keygen", ["-y", "-P", "", "-f", file]).toString();
    expect(line.trim()).toBe(`${result.publicKey} sealed-onion`);
    expect(sealing.record("read").publicKey).toBe(result.publicKey);
  });

  it("is not made again while its file stands, and is when its generation grows", async () => {
    const first = await sealing.run(host("kept"));
    const again = await sealing.run({ ...host("kept"), keyUrl: await sealing.rotateKey() });
    expect(again.result).toMatchObject({ action: "rewrapped", publicKey: first.result.publicKey });
    const grown = { ...host("kept"), generation: 2, fingerprint: "sshHostKey:#2" };
    const next = await sealing.run(grown, { previous: again.result });
    expect(next.result.action).toBe("sealed");
    expect(next.result.publicKey).not.toBe(first.result.publicKey);
  });

  it("is not made in the place of one whose file is lost, or of an onion key", async () => {
    const { result } = await sealing.run(host("lost"));
    fs.rmSync(path.join(sealing.folder, "nix/stacks/dev/lost.sops.json"));
    const lost = await sealing.run(host("lost"), { previous: result });
    expect(lost).toMatchObject({ code: 1, stderr: expect.stringContaining("2 for a new SSH host key\n") });
    const { result: onion } = await sealing.run({ name: "address", fingerprint: "onion:#1" });
    const over = await sealing.run(host("address"));
    expect(over).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`holds ${onion.hostname}, no SSH host key`),
    });
  });
});
