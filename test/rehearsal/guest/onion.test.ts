import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { onionHostname } from "../../../components/onion/hostname";
import { formatPublicKeyFile, formatSecretKeyFile, generateOnionKey } from "../../../components/onion/keys";
import type { Facts } from "../../../components/stack/facts";
import { torrcLines } from "../tor/torrc";
import { readEvaluatedGuest } from "./evaluated";
import { onionBelow, onionServicesOf, preparation } from "./onion";
import { prepareOnionFolder, preparingProgram } from "./onion-folder";

const facts: Facts = JSON.parse(fs.readFileSync("nix/eval/stacks/example/facts.json", "utf8"));
const evaluated = readEvaluatedGuest();
const HOSTNAME = `${"a".repeat(55)}d.onion`;

describe("the rehearsal's onion service", () => {
  it("has the folder, the settings and the ports that the modules give it for the same stack", () => {
    const services = onionServicesOf(facts, evaluated);
    const [site] = services;
    expect(services).toHaveLength(1);
    expect(site && { path: site.folder, hostname: site.hostname, settings: site.settings }).toEqual(
      (({ path: folder, hostname, settings }) => ({ path: folder, hostname, settings }))(
        evaluated.tor.services.site ?? { path: "", hostname: "", settings: {} },
      ),
    );
  });

  it("is prepared by the call that the modules make for the same stack", () => {
    const calls = onionServicesOf(facts, evaluated).map((onion) => ["+prepare-onion-key", ...preparation(onion)]);
    expect(calls).toEqual(evaluated.tor.prepare);
  });

  it("takes what is a stack's own from that stack, and its site's address from who asks", () => {
    const blog = { secret: "blog", hostname: HOSTNAME, ports: { "80": "site" }, clientAuthorization: [], ssh: false };
    const own: Facts = { ...facts, services: { ...facts.services, blog } };
    const [first, second] = onionServicesOf(own, evaluated);
    expect(first).toMatchObject({
      ...{ name: "blog", hostname: HOSTNAME, keyFile: "/run/secrets/blog", folder: "/run/tor/onion/blog", clients: [] },
      settings: { HiddenServicePort: ["80 127.0.0.1:8440"], HiddenServiceMaxStreams: 100 },
    });
    expect(second?.settings.HiddenServicePort).toContain("80 127.0.0.1:8441");
    const [moved] = onionServicesOf(own, evaluated, () => "127.0.0.1:9");
    expect(moved?.settings.HiddenServicePort).toEqual(["80 127.0.0.1:9"]);
  });

  it("differs from the evaluated one in where files lie", () => {
    for (const onion of onionServicesOf(facts, evaluated)) {
      expect(onionBelow("/vm", onion)).toEqual({
        ...onion,
        keyFile: "/vm/run/secrets/onion",
        folder: "/vm/run/tor/onion/site",
        clients: [["friend", "/vm/run/secrets/friend"]],
      });
    }
  });

  it("has its settings in the torrc as NixOS writes them, but for tor's folder and the pause at its end", () => {
    const lines = torrcLines(evaluated.tor.settings);
    expect(lines).toContain("AvoidDiskWrites 1");
    expect(lines).toContain("ExitPolicy reject *:*");
    expect(lines).toContain("AutomapHostsSuffixes .onion,.exit");
    expect(lines.filter((line) => /^(DataDirectory|ShutdownWaitLength) /.test(line))).toEqual([]);
    expect(torrcLines({ HiddenServicePort: ["22 a", "80 b"] })).toEqual([
      "HiddenServicePort 22 a",
      "HiddenServicePort 80 b",
    ]);
  });
});

describe(`the folder of the rehearsal's onion service, laid out by ${preparingProgram()}`, () => {
  let directory: string;
  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), "guest-onion-"));
  });
  afterEach(() => fs.rmSync(directory, { recursive: true }));

  const key = generateOnionKey();
  const onion = () => ({
    ...{ name: "site", hostname: onionHostname(key.publicKey), settings: {} },
    keyFile: path.join(directory, "key"),
    folder: path.join(directory, "tor", "onion", "site"),
    clients: [["friend", path.join(directory, "client")] as const],
  });

  it("holds both keys and the clients', for tor alone", async () => {
    fs.writeFileSync(onion().keyFile, formatSecretKeyFile(key));
    fs.writeFileSync(path.join(directory, "client"), `descriptor:x25519:${"A".repeat(52)}\n`);
    await prepareOnionFolder(onion());
    await prepareOnionFolder(onion()); // as at each start
    const { folder } = onion();
    const content = (name: string) => fs.readFileSync(path.join(folder, name));
    expect(fs.readdirSync(folder).sort()).toEqual([
      "authorized_clients",
      "hs_ed25519_public_key",
      "hs_ed25519_secret_key",
    ]);
    expect(content("hs_ed25519_public_key").equals(formatPublicKeyFile(key))).toBe(true);
    expect(content("hs_ed25519_secret_key").equals(formatSecretKeyFile(key))).toBe(true);
    expect(content("authorized_clients/friend.auth").toString()).toContain("descriptor:x25519:");
    expect(fs.statSync(folder).mode & 0o777).toBe(0o700);
    expect(fs.statSync(path.join(folder, "hs_ed25519_secret_key")).mode & 0o777).toBe(0o400);
  });

  it.skipIf(preparingProgram() !== "prepare-onion-key.sh")("is refused with the console's line", async () => {
    fs.writeFileSync(onion().keyFile, formatSecretKeyFile(key).subarray(0, 60));
    await expect(prepareOnionFolder(onion())).rejects.toThrow(
      /^sealed-onion: onion service site stays down: its key in .* has 60 bytes, a whole one has 96/,
    );
    expect(fs.existsSync(onion().folder)).toBe(false);
  });
});
