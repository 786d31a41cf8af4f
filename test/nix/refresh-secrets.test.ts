import { generateKeyPairSync } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bech32 } from "@scure/base";
import * as fixture from "loopback-azure/fixture";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runChild } from "../../components/process/child-process";
import { findOnPath } from "../../components/process/find-program";
import { readEvaluatedGuest } from "../rehearsal/guest/evaluated";
import { inUse } from "../rehearsal/live/rotated";
import { runGuestScript } from "./guest-script";
import {
  askedOfSystemd,
  installedBy,
  type SecretsRig,
  secretsEnvironment,
  secretsManifest,
  startSecretsRig,
} from "./secrets-fixture";

/** Of an age key that nobody has. */
const recipient = bech32.encode("age", bech32.toWords(x25519PublicKey()), false);

function x25519PublicKey(): Buffer {
  const { publicKey } = generateKeyPairSync("x25519");
  return publicKey.export({ type: "spki", format: "der" }).subarray(-32);
}

const missing = ["bash", "curl", "flock", "jq", "sops"].filter((program) => !findOnPath(program));

describe.skipIf(missing.length > 0)(
  `sealed files in user data, opened by ${installedBy} (skipped without ${missing})`,
  () => {
    let azure: SecretsRig;
    let directory: string;
    let environment: Record<string, string>;

    beforeAll(async () => {
      azure = await startSecretsRig();
    });
    afterAll(() => azure.close());

    beforeEach(async () => {
      azure.rig.azure.faults.clear();
      directory = fs.mkdtempSync(path.join(os.tmpdir(), "refresh-"));
      environment = {
        ...readEvaluatedGuest().refresh.environment,
        ...secretsEnvironment(azure, directory),
        SEALED_ONION_MANIFEST: path.join(directory, "manifest.json"),
      };
      fs.writeFileSync(path.join(directory, "token.sops.json"), await seal("from the image"));
      fs.writeFileSync(environment.SEALED_ONION_MANIFEST ?? "", JSON.stringify(secretsManifest(directory, ["token"])));
      await runChild("sops-install-secrets", [environment.SEALED_ONION_MANIFEST ?? ""], { environment });
    });
    afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

    const seal: SecretsRig["seal"] = (...what) => azure.seal(...what);

    const encoded = (content: string) => Buffer.from(content).toString("base64");

    function setUserData(content: string): void {
      const userData = encoded(content);
      const { cloud, ids } = azure.rig;
      cloud.put(fixture.machine(cloud, [ids.guest], { properties: { userData } }));
    }

    const asUserData = (secrets: Record<string, string>): string =>
      `{"version":1,"secrets":{${Object.entries(secrets).map(([name, file]) => `"${name}":${file}`)}}}`;
    const refresh = () => runGuestScript("refresh-secrets", [], environment);
    const opened = () => fs.readFileSync(path.join(directory, "secrets", "token"), "utf8");
    const generation = () => fs.readlinkSync(path.join(directory, "secrets"));
    const started = () => askedOfSystemd(directory);

    it("take the image's place, once, and start what waits for them", async () => {
      setUserData(asUserData({ token: await seal("rotated") }));
      expect(await refresh()).toMatchObject({ code: 0 });
      expect(opened()).toBe("rotated");
      expect(started()).toBe("--no-block start sealed-secrets.target\n");
      const before = generation();
      expect(await refresh()).toMatchObject({ code: 0 });
      expect(generation()).toBe(before);
    });

    it("give way to the image's own when they are gone", async () => {
      setUserData(asUserData({ token: await seal("rotated") }));
      await refresh();
      setUserData("");
      expect(await refresh()).toMatchObject({ code: 0 });
      expect(opened()).toBe("from the image");
    });

    it("come back after a switch to another system put the image's in place", async () => {
      setUserData(asUserData({ token: await seal("rotated") }));
      await refresh();
      await runChild("sops-install-secrets", [environment.SEALED_ONION_MANIFEST ?? ""], { environment });
      expect(opened()).toBe("from the image");
      await refresh();
      expect(opened()).toBe("rotated");
    });

    it("are put in place again where another system has put them in place, with other owners perhaps", async () => {
      setUserData(asUserData({ token: await seal("rotated") }));
      await refresh();
      const before = generation();
      const other = path.join(directory, "other-manifest.json");
      fs.copyFileSync(environment.SEALED_ONION_MANIFEST ?? "", other);
      environment.SEALED_ONION_MANIFEST = other;
      await refresh();
      expect(generation()).not.toBe(before);
      expect(opened()).toBe("rotated");
    });

    it("wait while a switch opens the image's own", async () => {
      setUserData(asUserData({ token: await seal("rotated") }));
      const lock = environment.SEALED_ONION_MEMORY ?? "";
      const held = runChild("flock", [lock, "bash", "-c", `until [ -e '${lock}/go' ]; do sleep 0.1; done`]);
      const refreshed = refresh();
      await sleep(2_000);
      expect(opened()).toBe("from the image");
      fs.writeFileSync(path.join(lock, "go"), "");
      expect((await held).code).toBe(0);
      expect(await refreshed).toMatchObject({ code: 0 });
      expect(opened()).toBe("rotated");
    });

    it("are left alone where they are not what they should be", async () => {
      const age = "age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3290gq";
      const good = await seal("rotated");
      const withAge = await seal("rotated", ["--azure-kv", azure.keyUrl, "--age", recipient]);
      const besides = (kind: string) => `token is also sealed for ${kind}, and only keys of our vault may be in it`;
      const also = (kind: string, keys: unknown) => {
        const file = JSON.parse(good) as { sops: object };
        return JSON.stringify({ ...file, sops: { ...file.sops, [kind]: keys } });
      };
      const odd = "token has other or more keys than a sealed file";
      const sopsOf = (change: object) => {
        return JSON.stringify({ ...(JSON.parse(good) as object), ...change });
      };
      const [entry] = (JSON.parse(good) as { sops: { azure_kv: object[] } }).sops.azure_kv;
      const evil = "https://kv-evil.vault.azure.net";
      const foreign = good.replaceAll("kv-test.vault.azure.net", "kv-evil.vault.azure.net");
      const words: [string, string][] = [
        ["no JSON", "it is not JSON of that form"],
        ['{"version":2,"secrets":{}}', 'it is not {"version":1,"secrets":{…}}'],
        ['{"version":1,"secrets":[]}', 'it is not {"version":1,"secrets":{…}}'],
        [asUserData({ other: good }), "other is no secret of this image"],
        [asUserData({ "../token": good }), "../token is no secret of this image"],
        [asUserData({ token: foreign }), `token is not sealed for ${azure.keyUrl}`],
        [asUserData({ token: also("age", JSON.parse(withAge).sops.age) }), besides("age")],
        [asUserData({ token: also("hc_vault", [{ vault_address: "http://10.0.0.1" }]) }), besides("hc_vault")],
        [asUserData({ token: also("key_groups", [{ kms: [{ arn: "arn:aws" }] }]) }), besides("key_groups")],
        [asUserData({ token: also("kms", { arn: "arn:aws" }) }), besides("kms")],
        [asUserData({ token: sopsOf({ SOPS: { hc_vault: [{ vault_address: "http://10.0.0.1" }] } }) }), odd],
        [asUserData({ token: sopsOf({ "\u017fops": { hc_vault: [{}] } }) }), odd],
        [asUserData({ token: also("azure_kv", [{ ...entry, Vault_URL: evil }]) }), odd],
        [
          asUserData({ token: await seal("for age", ["--age", age]).catch(() => "{}") }),
          `token is not sealed for ${azure.keyUrl}`,
        ],
      ];
      for (const [index, [userData, word]] of words.entries()) {
        setUserData(userData);
        const { code, stderr } = await refresh();
        const isNew = words[index - 1]?.[1] !== word;
        expect(stderr).toContain(`<${isNew ? 2 : 6}>sealed-onion: user data is left alone: ${word}\n`);
        expect((await refresh()).stderr).toContain("<6>sealed-onion: user data is left alone: "); // the console has it once
        expect(code).toBe(1);
        expect(opened()).toBe("from the image");
      }
      setUserData(asUserData({ token: good })); // corrected
      expect(await refresh()).toMatchObject({ code: 0 });
      expect(opened()).toBe("rotated");
    });

    it("are told on the console once they are in use, and once they are gone", async () => {
      const sealed = asUserData({ token: await seal("rotated") });
      setUserData(sealed);
      expect((await refresh()).stderr).toContain(`<2>sealed-onion: ${inUse(encoded(sealed))}\n`);
      expect((await refresh()).stderr).not.toContain("sealed-onion:");
      const again = asUserData({ token: await seal("rotated again") });
      setUserData(again);
      expect((await refresh()).stderr).toContain(`<2>sealed-onion: ${inUse(encoded(again))}\n`);
      setUserData("");
      expect((await refresh()).stderr).toContain(
        "<2>sealed-onion: user data holds no secrets: the image's own are in use\n",
      );
      expect((await refresh()).stderr).not.toContain("sealed-onion:");
    });

    it("leave the secrets in use where they do not open", async () => {
      const good = await seal("rotated");
      setUserData(asUserData({ token: good.replace(/ENC\[AES256_GCM,data:.{4}/, "ENC[AES256_GCM,data:AAAA") }));
      const { code, stderr } = await refresh();
      expect([code, opened()]).toEqual([1, "from the image"]);
      expect(stderr).toContain("<2>sealed-onion: user data is left alone: it does not open, the secrets in use stay\n");
    });

    it("say why where Azure does not let them open", async () => {
      setUserData(asUserData({ token: await seal("rotated") }));
      azure.revoke();
      const { stderr } = await refresh();
      azure.grant();
      expect(stderr).toMatch(
        /<2>sealed-onion: user data is left alone: it does not open, the secrets in use stay: identity \S+ may not decrypt/,
      );
      expect(await refresh()).toMatchObject({ code: 0 });
      expect(opened()).toBe("rotated");
    });

    it("open beside a secret of the image that does not", async () => {
      const manifest = secretsManifest(directory, ["token", "broken"]);
      fs.writeFileSync(environment.SEALED_ONION_MANIFEST ?? "", JSON.stringify(manifest));
      const broken = JSON.parse(await seal("broken"));
      broken.sops.azure_kv[0].enc = "AAAA";
      fs.writeFileSync(path.join(directory, "broken.sops.json"), JSON.stringify(broken));
      expect(
        await runGuestScript("open-secrets", [environment.SEALED_ONION_MANIFEST ?? ""], environment),
      ).toMatchObject({
        code: 1,
      });
      setUserData(asUserData({ token: await seal("rotated") }));
      expect(await refresh()).toMatchObject({ code: 0 });
      expect(opened()).toBe("rotated");
      setUserData(asUserData({ token: await seal("rotated"), broken: await seal("mended") }));
      expect(await refresh()).toMatchObject({ code: 0 });
      expect(fs.readFileSync(path.join(directory, "secrets", "broken"), "utf8")).toBe("mended");
    });

    it("are told of within half a minute where the metadata service hangs", { timeout: 60_000 }, async () => {
      azure.rig.azure.faults.add({ host: "169.254.169.254", via: azure.machine.vmId, effect: { kind: "hang" } });
      const { code, stderr } = await refresh();
      expect([code, opened()]).toEqual([1, "from the image"]);
      expect(stderr).toMatch(
        /^<2>sealed-onion: user data is left alone: the metadata service at 169\.254\.169\.254 does not answer \(\(28\) /,
      );
    });
  },
);
