import * as fs from "node:fs";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findOnPath } from "../../../../components/process/find-program";
import { openSealed, type Sealing, startSealing } from "../sealing";

const noSops = !findOnPath("sops");

describe.skipIf(noSops)(`a stack that has another name now${noSops ? " (skipped: needs sops on PATH)" : ""}`, () => {
  let sealing: Sealing;
  beforeAll(async () => {
    sealing = await startSealing();
  });
  afterAll(() => sealing.close());

  const isThere = (file: string) => fs.existsSync(path.join(sealing.folder, "nix/stacks", file));

  it("keeps its onion key and its secrets, in the new name's folder, whatever the vault", async () => {
    sealing.write("token", "kept");
    sealing.write("nix/stacks/old/facts.json", "{}");
    const onion = await sealing.run({ stack: "old", name: "onion" });
    const token = await sealing.run({ stack: "old", name: "token", source: { file: "token" }, fingerprint: "file:1" });
    const address = onion.result.hostname;
    fs.rmSync(path.join(sealing.folder, "token"));
    const keyUrl = await sealing.rotateKey();
    const moved = await Promise.all([
      sealing.run({ stack: "new", name: "onion", keyUrl }, { previous: onion.result }),
      sealing.run(
        { stack: "new", name: "token", source: { file: "token" }, fingerprint: "absent", keyUrl },
        { previous: token.result },
      ),
    ]);
    for (const run of moved) expect(run).toMatchObject({ code: 0, stderr: "", result: { action: "rewrapped" } });
    expect(moved[0]?.result).toMatchObject({ hostname: address, path: "nix/stacks/new/onion.sops.json" });
    expect((await openSealed(sealing, "nix/stacks/new/token.sops.json")).toString()).toBe("kept");
    expect(isThere("old")).toBe(false); // Nix would make a machine of it
    const again = await sealing.run({ stack: "new", name: "onion", keyUrl }, { previous: moved[0]?.result });
    expect(again.result.action).toBe("unchanged");
  });

  it("leaves what another stack has in the folder, and takes nothing where there is something already", async () => {
    const first = await sealing.run({ stack: "one", name: "onion" });
    const other = await sealing.run({ stack: "one", name: "other" });
    const taken = await sealing.run({ stack: "two", name: "onion" });
    const run = await sealing.run({ stack: "two", name: "onion" }, { previous: first.result });
    expect(run.result.hostname).toBe(taken.result.hostname);
    expect(isThere("one/onion.sops.json")).toBe(true);
    const moved = await sealing.run({ stack: "two", name: "other" }, { previous: other.result });
    expect(moved.result).toMatchObject({ hostname: other.result.hostname, action: "moved" });
    expect(isThere("one/onion.sops.json")).toBe(true);
  });

  it("never reads another place than a stack's folder for it", async () => {
    const key = await sealing.run({ stack: "three", name: "onion" });
    fs.mkdirSync(path.join(sealing.folder, "elsewhere"));
    fs.renameSync(
      path.join(sealing.folder, "nix/stacks/three/onion.sops.json"),
      path.join(sealing.folder, "elsewhere/onion.sops.json"),
    );
    const previous = { ...key.result, path: "elsewhere/onion.sops.json" };
    const run = await sealing.run({ stack: "four", name: "onion" }, { previous });
    expect(run.code).toBe(1);
    expect(run.stderr).toContain("sealed file nix/stacks/four/onion.sops.json is missing");
  });
});
