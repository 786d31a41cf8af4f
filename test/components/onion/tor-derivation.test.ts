import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { onionHostname } from "../../../components/onion/hostname";
import {
  formatPublicKeyFile,
  formatSecretKeyFile,
  generateOnionKey,
  type OnionKey,
  parseOnionKey,
} from "../../../components/onion/keys";
import { startVanitySearch } from "../../../components/onion/vanity/vanity-search";
import { findOnPath } from "../../../components/process/find-program";
import { startTor } from "../../rehearsal/tor/process";

// The same keys in tor's hands: what tor derives from them, and what it does with a damaged one. It stays off the net.
const tor = findOnPath("tor");
const withTor = test.skipIf(tor === undefined);
const skipped = tor === undefined ? " (skipped: tor is not on PATH)" : "";
let directory = "";

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "tor-keys-"));
});

afterEach(() => {
  fs.rmSync(directory, { recursive: true, force: true });
});

/** Writes files into service folders, runs one tor with all of them, and reads what it made of each. */
async function hostnamesByTor(services: readonly Record<string, Uint8Array>[]): Promise<string[]> {
  const folders = services.map((files, index) => {
    const folder = path.join(directory, `service${index}`);
    fs.mkdirSync(folder, { mode: 0o700 });
    for (const [name, content] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), content);
    return folder;
  });
  const lines = folders.flatMap((folder) => [`HiddenServiceDir ${folder}`, "HiddenServicePort 80 127.0.0.1:80"]);
  const running = await startTor(tor ?? "", path.join(directory, "tor"), ["DisableNetwork 1", "SocksPort 0", ...lines]);
  await running.close();
  return folders.map((folder) => fs.readFileSync(path.join(folder, "hostname"), "ascii").trim());
}

function vanityKey(prefix: string): OnionKey {
  const search = startVanitySearch(prefix, 64);
  for (;;) {
    const key = search.nextBatch();
    if (key) return key;
  }
}

withTor(`tor derives the same hostnames from generated and from vanity keys${skipped}`, async () => {
  const keys = [...Array.from({ length: 10 }, generateOnionKey), ...["a", "7", "zq", "b2", "x"].map(vanityKey)];
  const byTor = await hostnamesByTor(keys.map((key) => ({ hs_ed25519_secret_key: formatSecretKeyFile(key) })));
  expect(byTor).toEqual(keys.map(({ publicKey }) => onionHostname(publicKey)));
});

withTor(`tor takes both files together, as they are placed on a machine${skipped}`, async () => {
  const key = generateOnionKey();
  const files = { hs_ed25519_secret_key: formatSecretKeyFile(key), hs_ed25519_public_key: formatPublicKeyFile(key) };
  expect(await hostnamesByTor([files])).toEqual([onionHostname(key.publicKey)]);
});

withTor(`a key that tor made is read, and has the hostname that tor wrote${skipped}`, async () => {
  const byTor = await hostnamesByTor([{}, {}, {}]);
  const files = byTor.map((_, index) =>
    fs.readFileSync(path.join(directory, `service${index}`, "hs_ed25519_secret_key")),
  );
  const keys = await Promise.all(files.map(parseOnionKey));
  expect(keys.map(({ publicKey }) => onionHostname(publicKey))).toEqual(byTor);
});

withTor(`tor replaces a truncated key by a new identity, which is why it is refused here${skipped}`, async () => {
  const key = generateOnionKey();
  const truncated = formatSecretKeyFile(key).subarray(0, 90);
  const [hostname] = await hostnamesByTor([{ hs_ed25519_secret_key: truncated }]);
  expect(hostname).not.toBe(onionHostname(key.publicKey));
  await expect(parseOnionKey(truncated)).rejects.toThrow(/it is 90 bytes long/);
});

withTor(`tor refuses a truncated key with the public key beside it${skipped}`, async () => {
  const key = generateOnionKey();
  const files = {
    hs_ed25519_secret_key: formatSecretKeyFile(key).subarray(0, 90),
    hs_ed25519_public_key: formatPublicKeyFile(key),
  };
  await expect(hostnamesByTor([files])).rejects.toThrow(/tor \(tor\) ended with exit code 1/);
});
