import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect, it } from "vitest";
import { distrusts, marksIn, outdated } from "../../components/image/disk/made-for";
import { readTree, treeParts } from "../../components/image/guest-tree";
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
      const tree = treeParts([readTree("nix")]);
      expect(outdated(marks, "dev", { facts, sealed: { token }, tree })).toEqual([]);
      const old = { facts, sealed: { token: "0".repeat(64) }, tree: { ...tree, site: "0".repeat(16) } };
      expect(outdated(marks, "dev", old)).toEqual(["an older secret token", "another nix/site"]);
      const trust = { clientId: "c1", containerUrl: "https://one.blob.core.windows.net/systems", publicKey: "k:1" };
      const more = `identity.clientId = "c1"; update = { containerUrl = "${trust.containerUrl}"; publicKey = "k:1"; };`;
      const updated = `(${stack} // { facts = ${stack}.facts // { ${more} }; })`;
      const inPlace = (await nix(`import ${path.resolve("nix/lib/made-for.nix")} ${updated}`)) as string;
      expect(inPlace).not.toContain('"tree"');
      expect(distrusts(marksIn(Buffer.from(inPlace)), "dev", trust)).toEqual([]);
      expect(distrusts(marksIn(Buffer.from(inPlace)), "dev", { ...trust, dataDisk: true })).toHaveLength(1);
      expect(distrusts(marks, "dev", trust)).toEqual(["it takes no systems in place"]);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  },
);

it.skipIf(noNix)(
  "Nix takes a folder for what the deployment takes it for (skipped without nix-instantiate)",
  async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "guest-tree-"));
    try {
      const files = [
        ...[
          "flake.nix",
          "site/index.html",
          "site/.well-known/security.txt",
          "site/Ö ü.html",
          "site/README.md",
          "site/empty",
        ],
        ...["site/result", "site/.index.html.swp", "README.md", "eval/x", "tests/x", "stacks/dev/facts.json", ".envrc"],
        ...[
          "modules/tor.nix",
          "modules/tor.nix~",
          "modules/#tor.nix#",
          "modules/.cache/x",
          "hosts/.gitkeep",
          "a.b/c/d",
        ],
      ];
      for (const file of files) {
        fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
        fs.writeFileSync(path.join(folder, file), file.endsWith("empty") ? "" : file);
      }
      fs.symlinkSync("/nix/store/nowhere", path.join(folder, "result"));
      fs.symlinkSync("nowhere", path.join(folder, "modules/result-1"));
      fs.symlinkSync(".", path.join(folder, "modules/here"));
      fs.symlinkSync("/etc/hostname", path.join(folder, "site/host"));
      const parts = await nix(`import ${path.resolve("nix/lib/guest-tree.nix")} ${folder}`);
      expect(parts).toEqual(treeParts([readTree(folder)]));
      expect(Object.keys(parts as object).sort()).toEqual(["a.b", "flake.nix", "modules", "site"]);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  },
);
