import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LeakSearch } from "./leaks";

const secret = Buffer.from("never-to-be-seen-0123456789\xff\xfe", "latin1");

function search(bytes: Buffer): string[] {
  const leaks = new LeakSearch([{ name: "token", bytes: secret }]);
  leaks.searchBytes("here", bytes);
  return leaks.leaks.map((leak) => leak.form);
}

describe("LeakSearch", () => {
  it.each([
    ["raw", secret],
    ["hex", Buffer.from(secret.toString("hex"))],
    ["hex", Buffer.from(secret.toString("hex").toUpperCase())],
    ["base64", Buffer.from(secret.toString("base64"))],
    ["base64url", Buffer.from(secret.toString("base64url"))],
  ])("finds a plaintext in %s", (form, text) => {
    expect(search(Buffer.concat([Buffer.from("x="), text, Buffer.from(";")]))).toContain(form);
  });

  it("finds a plaintext inside base64 of a longer text, wherever it starts there", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 40 }), (before, after) => {
        const longer = Buffer.concat([before, secret, after]);
        expect(search(Buffer.from(longer.toString("base64")))).toContain("base64");
        expect(search(Buffer.from(longer.toString("base64url")))).toContain("base64url");
      }),
    );
  });

  it("finds nothing where there is nothing", () => {
    expect(search(Buffer.from("never-to-be-seen-012345678"))).toEqual([]);
  });

  it("finds a plaintext that lies across two pieces of a large file, once", () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "leaks-"));
    const file = path.join(folder, "large");
    const content = Buffer.alloc((4 << 20) + 100);
    secret.copy(content, (4 << 20) - 5);
    fs.writeFileSync(file, content);
    const leaks = new LeakSearch([{ name: "token", bytes: secret }]);
    leaks.searchFolder(folder);
    fs.rmSync(folder, { recursive: true });
    expect(leaks.leaks).toEqual([{ plaintext: "token", form: "raw", where: file }]);
  });

  it("finds a plaintext in a file's name and in a link's target", () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "leaks-"));
    const hex = secret.toString("hex");
    fs.writeFileSync(path.join(folder, hex), "");
    fs.symlinkSync(hex, path.join(folder, "link"));
    const leaks = new LeakSearch([{ name: "token", bytes: secret }]);
    leaks.searchFolder(folder);
    fs.rmSync(folder, { recursive: true });
    expect(leaks.leaks.map((leak) => leak.form)).toEqual(["hex", "hex"]);
  });

  it("reports where, never what", () => {
    const leaks = new LeakSearch([{ name: "token", bytes: secret }]);
    leaks.searchBytes("a log", secret);
    expect(JSON.stringify(leaks.leaks)).not.toContain("never-to-be-seen");
  });
});
