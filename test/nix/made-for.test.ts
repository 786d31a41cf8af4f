import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect, it } from "vitest";
import { marksIn, outdated } from "../../components/image/disk/made-for";
import { nix, noNix } from "./nix-expression";

it.skipIf(noNix)(
  "an image says what it was made for as the deployment reads it (skipped without nix-instantiate)",
  async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "made-for-"));
    try {
      const facts = '{\n  "version": 1\n}\n';
      const sealed = '{"data":"ENC"}';
      fs.writeFileSync(path.join(folder, "facts.json"), facts);
      fs.writeFileSync(path.join(folder, "token.sops.json"), sealed);
      const stack = `{ name = "dev"; directory = ${folder}; facts.secrets.token.sealedFile = "token.sops.json"; }`;
      const text = (await nix(`import ${path.resolve("nix/lib/made-for.nix")} ${stack}`)) as string;
      const marks = marksIn(Buffer.from(text));
      expect(marks).toHaveLength(1);
      const token = createHash("sha256").update(sealed).digest("hex");
      expect(outdated(marks, "dev", { facts, sealed: { token } })).toEqual([]);
      expect(outdated(marks, "dev", { facts, sealed: { token: "0".repeat(64) } })).toEqual(["an older secret token"]);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  },
);
