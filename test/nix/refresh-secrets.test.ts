import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as fixture from "loopback-azure/fixture";
import { GUEST, policy, type Rig, sealKey, startRig, VAULT_URL, vault } from "loopback-azure/fixture";
import type { Machine } from "loopback-azure/machine/machine";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runChild } from "../../components/process/child-process";
import { findOnPath } from "../../components/process/find-program";
import { readEvaluatedGuest } from "../rehearsal/guest/evaluated";
import { runGuestScript } from "./guest-script";

const missing = ["bash", "curl", "flock", "jq", "sops"].filter((program) => !findOnPath(program));
const installer = findOnPath("sops-install-secrets");

/**
 * In place of sops-install-secrets, where it is not on PATH: opens with sops what the manifest names, all or nothing, and
 * makes a new generation. It is found by the script on PATH, as the real one is.
 */
const STAND_IN = `#!/usr/bin/env bash
set -euo pipefail
[[ $1 == -check-mode=* ]] && { jq -r '.secrets[].sopsFile' "$2" | xargs -n 1 jq -e .sops.mac >/dev/null; exit; }
next=$(mktemp -d "$XDG_RUNTIME_DIR/secrets.d.XXXXXX")
for name in $(jq -r '.secrets[].name' "$1"); do
  sops decrypt --input-type json --output-type binary "$(jq -r --arg n "$name" '.secrets[] | select(.name == $n).sopsFile' "$1")" >"$next/$name"
done
ln -sfn "$next" "$XDG_RUNTIME_DIR/secrets"`;

const by = installer ? "sops-install-secrets" : "a stand-in, as sops-install-secrets is not on PATH";

describe.skipIf(missing.length > 0)(`sealed files in user data, opened by ${by} (skipped without ${missing})`, () => {
  let rig: Rig;
  let machine: Machine;
  let keyUrl: string;
  let directory: string;
  let environment: Record<string, string>;

  beforeAll(async () => {
    rig = await startRig();
    const { objectId } = rig.azure.workstation.principal;
    const accessPolicies = [
      policy(rig.cloud, GUEST.principalId, "decrypt"),
      policy(rig.cloud, objectId, "get", "encrypt"),
    ];
    rig.cloud.put(vault(rig.cloud, { accessPolicies }));
    machine = await rig.azure.bootMachine(rig.ids.machine);
    keyUrl = `${VAULT_URL}/keys/seal/${(await sealKey(rig.cloud)).version}`;
  });
  afterAll(async () => {
    await machine.close();
    await rig.close();
  });

  beforeEach(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), "refresh-"));
    const programs = path.join(directory, "bin");
    fs.mkdirSync(programs);
    fs.writeFileSync(path.join(programs, "systemctl"), '#!/bin/sh\necho "$*" >>"$XDG_RUNTIME_DIR/systemctl.log"\n', {
      mode: 0o755,
    });
    if (!installer) fs.writeFileSync(path.join(programs, "sops-install-secrets"), STAND_IN, { mode: 0o755 });
    environment = {
      ...machine.env,
      PATH: `${programs}:${process.env.PATH}`,
      ...readEvaluatedGuest().refresh.environment,
      XDG_RUNTIME_DIR: directory,
      AZURE_CLIENT_ID: GUEST.clientId,
      SEALED_ONION_KEY_URL: keyUrl,
      SEALED_ONION_MANIFEST: path.join(directory, "manifest.json"),
      SEALED_ONION_STATE: path.join(directory, "state"),
      SEALED_ONION_SECRETS: path.join(directory, "secrets"),
      SEALED_ONION_LOCK: programs,
    };
    fs.writeFileSync(path.join(directory, "token.sops.json"), await seal("from the image"));
    fs.writeFileSync(environment.SEALED_ONION_MANIFEST ?? "", JSON.stringify(manifest()));
    await runChild("sops-install-secrets", [environment.SEALED_ONION_MANIFEST ?? ""], { environment });
  });
  afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

  /** The manifest of an image with one secret, for a user without rights to mount (`userMode`). */
  function manifest(): object {
    const file = { format: "binary", mode: "0400", owner: null, uid: 0, group: null, gid: 0, key: "" };
    const place = { path: "%r/secrets/token", sopsFile: path.join(directory, "token.sops.json") };
    const secret = { name: "token", ...file, ...place, restartUnits: [], reloadUnits: [] };
    const folders = { secretsMountPoint: "%r/secrets.d", symlinkPath: "%r/secrets", keepGenerations: 3 };
    const keys = { sshKeyPaths: [], gnupgHome: null, ageKeyFile: null, ageSshKeyPaths: [] };
    const rest = { templates: [], placeholderBySecretName: {}, useTmpfs: false, userMode: true };
    return { secrets: [secret], ...folders, ...keys, ...rest, logging: { keyImport: false, secretChanges: false } };
  }

  async function seal(plaintext: string, to = ["--azure-kv", keyUrl]): Promise<string> {
    const types = ["--input-type", "binary", "--output-type", "json", "--filename-override", "token"];
    const workstation = { ...rig.azure.workstation.env, PATH: process.env.PATH };
    const { code, stdout, stderr } = await runChild("sops", ["encrypt", ...types, ...to, "/dev/stdin"], {
      input: Buffer.from(plaintext),
      environment: workstation,
    });
    if (code !== 0) throw new Error(stderr);
    return stdout.toString("utf8");
  }

  function setUserData(content: string): void {
    const userData = Buffer.from(content).toString("base64");
    rig.cloud.put(fixture.machine(rig.cloud, [rig.ids.guest], { properties: { userData } }));
  }

  const asUserData = (secrets: Record<string, string>): string =>
    `{"version":1,"secrets":{${Object.entries(secrets).map(([name, file]) => `"${name}":${file}`)}}}`;
  const refresh = () => runGuestScript("refresh-secrets", [], environment);
  const opened = () => fs.readFileSync(path.join(directory, "secrets", "token"), "utf8");
  const generation = () => fs.readlinkSync(path.join(directory, "secrets"));
  const started = () => {
    const log = path.join(directory, "systemctl.log");
    return fs.existsSync(log) ? fs.readFileSync(log, "utf8") : "";
  };

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
    const lock = environment.SEALED_ONION_LOCK ?? "";
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
    const foreign = good.replaceAll("kv-test.vault.azure.net", "kv-evil.vault.azure.net");
    const words: [string, string][] = [
      ["no JSON", "it is not JSON of that form"],
      ['{"version":2,"secrets":{}}', 'it is not {"version":1,"secrets":{…}}'],
      ['{"version":1,"secrets":[]}', 'it is not {"version":1,"secrets":{…}}'],
      [asUserData({ other: good }), "other is no secret of this image"],
      [asUserData({ "../token": good }), "../token is no secret of this image"],
      [asUserData({ token: foreign }), `token is not sealed for ${keyUrl}`],
      [
        asUserData({ token: await seal("for age", ["--age", age]).catch(() => "{}") }),
        `token is not sealed for ${keyUrl}`,
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
  });

  it("are told on the console once they are in use, and once they are gone", async () => {
    setUserData(asUserData({ token: await seal("rotated") }));
    expect((await refresh()).stderr).toContain("<2>sealed-onion: the secrets in user data are in use\n");
    expect((await refresh()).stderr).not.toContain("sealed-onion:");
    setUserData("");
    expect((await refresh()).stderr).toContain(
      "<2>sealed-onion: user data holds no secrets: the image's own are in use\n",
    );
    expect((await refresh()).stderr).not.toContain("sealed-onion:");
  });

  it("leave the secrets in use where they do not open", async () => {
    const good = await seal("rotated");
    setUserData(asUserData({ token: good.replace(/ENC\[AES256_GCM,data:.{4}/, "ENC[AES256_GCM,data:AAAA") }));
    expect(await refresh()).toMatchObject({ code: 1 });
    expect(opened()).toBe("from the image");
  });
});
