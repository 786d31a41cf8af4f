import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { GUEST } from "loopback-azure/fixture";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findOnPath } from "../../components/process/find-program";
import { readEvaluatedGuest } from "../rehearsal/guest/evaluated";
import { runGuestScript } from "./guest-script";
import {
  askedOfSystemd,
  installedBy,
  type SecretsRig,
  secretsEnvironment,
  secretsManifest,
  startSecretsRig,
} from "./secrets-fixture";

const missing = ["bash", "curl", "flock", "jq", "sops"].filter((program) => !findOnPath(program));
const KEY_VAULT = "kv-test.vault.azure.net";

describe.skipIf(missing.length > 0)(`an image's secrets, opened by ${installedBy} (skipped without ${missing})`, () => {
  let azure: SecretsRig;
  let folder: string;
  let environment: Record<string, string>;

  beforeAll(async () => {
    azure = await startSecretsRig();
  });
  afterAll(() => azure.close());
  beforeEach(async () => {
    azure.rig.azure.faults.clear();
    azure.grant();
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "open-"));
    environment = { ...readEvaluatedGuest().unseal.environment, ...secretsEnvironment(azure, folder) };
    for (const name of ["onion", "token"]) place(name, await azure.seal(`${name} of the image`));
    fs.writeFileSync(path.join(folder, "manifest.json"), JSON.stringify(secretsManifest(folder, ["onion", "token"])));
  });
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  const place = (name: string, sealed: string) => fs.writeFileSync(path.join(folder, `${name}.sops.json`), sealed);
  /** Sealed for the right key, and damaged since. */
  async function damage(name: string): Promise<void> {
    const sealed = JSON.parse(await azure.seal(`${name} of the image`));
    sealed.sops.azure_kv[0].enc = Buffer.from("no wrapped key").toString("base64url");
    place(name, JSON.stringify(sealed));
  }
  const open = () => runGuestScript("open-secrets", [path.join(folder, "manifest.json")], environment);
  function opened(): Record<string, string> {
    const secrets = path.join(folder, "secrets");
    if (!fs.existsSync(secrets)) return {};
    return Object.fromEntries(
      fs.readdirSync(secrets).map((name) => [name, fs.readFileSync(path.join(secrets, name), "utf8")]),
    );
  }
  const all = { onion: "onion of the image", token: "token of the image" };

  it("open all, who waits for them starts, and the console has it once", async () => {
    const first = await open();
    expect([first.code, opened()]).toEqual([0, all]);
    expect(askedOfSystemd(folder)).toBe("--no-block start sealed-secrets.target\n");
    expect(first.stderr).toContain("<2>sealed-onion: the secrets are open\n");
    expect((await open()).stderr).toContain("<6>sealed-onion: the secrets are open\n");
  });

  it("stay sealed without the right to decrypt: why is told once, until it is another reason", async () => {
    azure.revoke();
    const refusal = `sealed-onion: the secrets are still sealed: identity ${GUEST.clientId} may not decrypt with`;
    const first = await open();
    expect(first.code).toBe(1);
    expect(first.stderr).toContain(`<2>${refusal}`);
    expect((await open()).stderr).toContain(`<6>${refusal}`);
    azure.rig.azure.faults.add({ host: KEY_VAULT, effect: { kind: "answer", status: 503, code: "Busy" } });
    expect((await open()).stderr).toContain(
      "<2>sealed-onion: the secrets are still sealed: kv-test.vault.azure.net is busy",
    );
    expect(opened()).toEqual({});
    azure.rig.azure.faults.clear();
    azure.grant();
    expect((await open()).stderr).toContain("<2>sealed-onion: the secrets are open\n");
  });

  it("stay sealed where the key was deleted, and open once it is recovered", async () => {
    const { cloud } = azure.rig;
    const vault = cloud.vault("kv-test")?.id ?? "";
    cloud.keys.remove(vault, "seal");
    const refused = await open();
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("has no such key (HTTP 404 ");
    cloud.keys.recover(vault, "seal"); // as az keyvault key recover does
    expect((await open()).stderr).toContain("sealed-onion: the secrets are open\n");
    expect(opened()).toEqual(all);
  });

  it("open but for one that is damaged, and the console names it", async () => {
    await damage("token");
    const { code, stderr } = await open();
    expect([code, opened()]).toEqual([1, { onion: all.onion }]);
    expect(stderr).toMatch(
      /<2>sealed-onion: some secrets are still sealed, the others are open: token \(failed to decrypt '[^']+token\.sops\.json': .+\): seal again with `pulumi up`\n/,
    );
    expect(askedOfSystemd(folder)).toBe("--no-block start sealed-secrets.target\n"); // who needs the onion alone starts
    expect(fs.existsSync(path.join(folder, "secrets.d", "trial"))).toBe(false);
  });

  it("are left as they are while the one that is damaged is tried again, and it opens when it can", async () => {
    await damage("token");
    await open();
    const generation = fs.readlinkSync(path.join(folder, "secrets"));
    const again = await open();
    expect([again.code, fs.readlinkSync(path.join(folder, "secrets"))]).toEqual([1, generation]);
    expect(again.stderr).toContain("<6>sealed-onion: some secrets are still sealed");
    expect(askedOfSystemd(folder)).toBe("--no-block start sealed-secrets.target\n");
    place("token", await azure.seal("token, sealed again"));
    const { code, stderr } = await open();
    expect([code, opened()]).toEqual([0, { ...all, token: "token, sealed again" }]);
    expect(stderr).toContain("<2>sealed-onion: the secrets are open\n");
  });

  it("keep what was open where a switch brings a damaged one", async () => {
    await open();
    await damage("token");
    place("onion", await azure.seal("onion, sealed again"));
    const { code } = await open();
    expect([code, opened()]).toEqual([1, { onion: "onion, sealed again", token: all.token }]);
    expect(fs.statSync(path.join(folder, "secrets", "token")).mode & 0o777).toBe(0o400);
  });

  it("say so where none of them opens, though Azure is willing", async () => {
    await damage("onion");
    await damage("token");
    const { code, stderr } = await open();
    expect([code, opened()]).toEqual([1, {}]);
    expect(stderr).toContain(
      `<2>sealed-onion: the secrets are still sealed: identity ${GUEST.clientId} may use ${azure.keyUrl}, but not for onion (failed to decrypt`,
    );
  });

  it.each(["169.254.169.254", KEY_VAULT])(
    "are not waited for in silence where %s hangs",
    { timeout: 60_000 },
    async (host) => {
      azure.rig.azure.faults.add({ host, via: azure.machine.vmId, effect: { kind: "hang" } });
      const started = performance.now();
      const { code, stderr } = await open();
      expect(code).toBe(1);
      expect(stderr).toMatch(/<2>sealed-onion: the secrets are still sealed: .*timed out/);
      expect(stderr.match(/<2>/g)).toHaveLength(1);
      expect(performance.now() - started).toBeLessThan(30_000);
    },
  );
});
