import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { onionHostname } from "../../components/onion/hostname";
import { formatPublicKeyFile, formatSecretKeyFile, generateOnionKey, type OnionKey } from "../../components/onion/keys";
import { findOnPath } from "../../components/process/find-program";
import { runGuestScript } from "./guest-script";
import { startOfflineTor } from "./offline-tor";

const missing = ["bash", "openssl", "cmp", "base32"].filter((program) => !findOnPath(program));

describe.skipIf(missing.length > 0)(`an onion service's folder (skipped without ${missing.join(", ")})`, () => {
  let directory: string;
  let folder: string;
  let keyFile: string;
  let key: OnionKey;
  let hostname: string;

  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), "onion-folder-"));
    folder = path.join(directory, "hs");
    keyFile = path.join(directory, "key");
    key = generateOnionKey();
    hostname = onionHostname(key.publicKey);
    fs.writeFileSync(keyFile, formatSecretKeyFile(key));
  });
  afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

  function prepare(address: string, ...clients: string[]) {
    const [TOR_USER, TOR_GROUP] = [String(process.getuid?.()), String(process.getgid?.())];
    const args = ["site", keyFile, address, folder, ...clients];
    const SEALED_ONION_STATE = fs.mkdtempSync(path.join(directory, "state-"));
    return runGuestScript("prepare-onion-key", args, { TOR_USER, TOR_GROUP, SEALED_ONION_STATE });
  }

  async function refusal(address: string, ...clients: string[]): Promise<string> {
    const { code, stderr } = await prepare(address, ...clients);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^<2>sealed-onion: onion service site stays down: [^\n]+\n$/);
    return stderr.slice("<2>sealed-onion: onion service site stays down: ".length).trim();
  }

  /** Tor with that folder and the key beside it, as NixOS's module puts it there. */
  function startTor(): Promise<{ serves: boolean; said: string }> {
    fs.copyFileSync(keyFile, path.join(folder, "hs_ed25519_secret_key"));
    return startOfflineTor(directory, folder);
  }

  it("holds the public key that belongs to the declared hostname, for tor alone", async () => {
    const { code, stderr } = await prepare(hostname);
    expect([code, stderr]).toEqual([0, ""]);
    const publicKey = path.join(folder, "hs_ed25519_public_key");
    expect(fs.readFileSync(publicKey).equals(formatPublicKeyFile(key))).toBe(true);
    expect(fs.statSync(folder).mode & 0o777).toBe(0o700);
    expect(fs.statSync(publicKey).mode & 0o777).toBe(0o400);
  });

  it.skipIf(!findOnPath("tor"))("lets tor serve the declared hostname (skipped without tor)", async () => {
    await prepare(hostname);
    expect(await startTor()).toMatchObject({ serves: true });
    expect(fs.readFileSync(path.join(folder, "hostname"), "utf8").trim()).toBe(hostname);
  });

  it.skipIf(!findOnPath("tor"))("keeps tor from serving with another key (skipped without tor)", async () => {
    fs.writeFileSync(keyFile, formatSecretKeyFile(generateOnionKey()));
    expect((await prepare(hostname)).code).toBe(0);
    const { serves, said } = await startTor();
    expect(serves).toBe(false);
    expect(said).toMatch(/hs_ed25519_public_key does not match .*hs_ed25519_secret_key/);
    expect(fs.existsSync(path.join(folder, "hostname"))).toBe(false);
  });

  it("refuses a truncated, an empty and a missing key", async () => {
    const ask = "a whole one has 96: seal tor's hs_ed25519_secret_key again";
    fs.truncateSync(keyFile, 60);
    expect(await refusal(hostname)).toBe(`its key in ${keyFile} has 60 bytes, ${ask}`);
    fs.truncateSync(keyFile, 0);
    expect(await refusal(hostname)).toBe(`its key in ${keyFile} has 0 bytes, ${ask}`);
    fs.rmSync(keyFile);
    expect(await refusal(hostname)).toBe(`its key in ${keyFile} has no bytes, ${ask}`);
    expect(fs.existsSync(folder)).toBe(false);
  });

  it("refuses another file of the same size", async () => {
    fs.writeFileSync(keyFile, Buffer.alloc(96, "x"));
    expect(await refusal(hostname)).toBe(
      `${keyFile} does not begin as an hs_ed25519_secret_key does: seal that file, not another form of the key`,
    );
  });

  it("refuses a hostname with a wrong checksum", async () => {
    const other = `${hostname.startsWith("a") ? "b" : "a"}${hostname.slice(1)}`;
    expect(await refusal(other)).toBe(
      `the declared hostname ${other} has a wrong checksum: correct sealed-onion.onionServices.site.hostname`,
    );
  });

  it("lays out the clients' keys, also where two files are called alike, and drops those of before", async () => {
    const client = path.join(directory, "friend");
    fs.writeFileSync(client, `descriptor:x25519:${"A".repeat(52)}\n`);
    const other = path.join(directory, "elsewhere", "friend");
    fs.mkdirSync(path.dirname(other));
    fs.writeFileSync(other, `descriptor:x25519:${"B".repeat(52)}\n`);
    await prepare(hostname, "friend", client, "colleague", other);
    const laidOut = path.join(folder, "authorized_clients");
    expect(fs.readdirSync(laidOut).sort()).toEqual(["colleague.auth", "friend.auth"]);
    expect(fs.readFileSync(path.join(laidOut, "friend.auth"), "utf8")).toContain("A".repeat(52));
    expect(fs.readFileSync(path.join(laidOut, "colleague.auth"), "utf8")).toContain("B".repeat(52));
    await prepare(hostname);
    expect(fs.existsSync(path.join(folder, "authorized_clients"))).toBe(false);
  });

  it("refuses a client's key that tor would skip, which would open the service to everyone", async () => {
    const client = path.join(directory, "friend");
    fs.writeFileSync(client, "A".repeat(52));
    expect(await refusal(hostname, "friend", client)).toBe(
      `${client} is not one line descriptor:x25519:<52 characters of base32>: seal the client's public key in that form`,
    );
  });
});
