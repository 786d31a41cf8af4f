import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { onionHostname } from "../../../components/onion/hostname";
import { parseOnionKey } from "../../../components/onion/keys";
import { runChild } from "../../../components/process/child-process";

/** What the VM tests' machines are given, as `nix/tests/fixtures-by-hand.nix` describes it. */
export interface Fixtures {
  readonly authority: { readonly path: string; readonly script: string };
  readonly sealing: { readonly path: string; readonly text: string };
  readonly sealed: { readonly script: string };
  readonly hostname: string;
  readonly token: string;
  readonly tokenRotated: string;
  readonly clientId: string;
  readonly keyUrl: string;
}

/** Programs that the fixtures' scripts run. */
export const FIXTURE_PROGRAMS = ["bash", "jq", "node", "openssl", "sops", "xxd"] as const;

const LIMIT_MS = 120_000;

/** As Nix's builder runs a script, and then the right of the tests' guest to open what was sealed. */
async function runScript(script: string, folder: string, out?: string): Promise<void> {
  const options = ["-o", "errexit", "-o", "nounset", "-o", "pipefail"];
  const environment = { ...process.env, ...(out !== undefined && { out }) };
  // In the folder, as each script leaves files beside what it makes.
  const inFolder = `cd ${JSON.stringify(folder)}\n${script}`;
  const { code, stderr } = await runChild("bash", [...options, "-c", inFolder], { environment, deadlineMs: LIMIT_MS });
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr.trim().split("\n").slice(-5).join(" | ")}`);
}

/** Opens each sealed file as the tests' machine does: its identity, its metadata service, its right to decrypt. */
function openingScript(bundle: string): string {
  return `node ${bundle} --config opening.json >opening.out 2>opening.log &
until [ -s opening.out ]; do kill -0 $! || { cat opening.log >&2; exit 1; }; sleep 0.1; done
eval "$(jq -r '.machines.web.environment | to_entries[] | "export \\(.key)=\\(.value | @sh)"' opening.out)"
mkdir opened
for file in sealed/*.sops.json; do
  name=\${file#sealed/}
  sops decrypt --input-type json --output-type binary "$file" >"opened/\${name%.sops.json}"
done
kill %1`;
}

/** The configuration under which the guest may open what the workstation sealed. */
function openingConfiguration(sealing: string): string {
  const config = JSON.parse(sealing) as { vaults: Record<string, { access: object }> };
  for (const vault of Object.values(config.vaults)) vault.access = { guest: ["decrypt"] };
  return JSON.stringify({ ...config, machines: { web: { identities: ["guest"] } } });
}

/** Makes the fixtures by their own scripts, which needs no Nix builder, and opens them again: name -> plaintext. */
async function makeAndOpen(fixtures: Fixtures, bundle: string, folder: string): Promise<Map<string, Buffer>> {
  const authority = path.join(folder, "authority");
  const sealing = path.join(folder, "sealing.json");
  const here = (text: string) =>
    text.replaceAll(fixtures.sealing.path, sealing).replaceAll(fixtures.authority.path, authority);
  fs.writeFileSync(sealing, here(fixtures.sealing.text));
  fs.writeFileSync(path.join(folder, "opening.json"), openingConfiguration(here(fixtures.sealing.text)));
  await runScript(fixtures.authority.script, folder, authority);
  await runScript(here(fixtures.sealed.script), folder, path.join(folder, "sealed"));
  await runScript(openingScript(bundle), folder);
  const opened = path.join(folder, "opened");
  return new Map(fs.readdirSync(opened).map((name) => [name, fs.readFileSync(path.join(opened, name))]));
}

/** What the tests say of the plaintexts: the key has the declared address. */
async function wrong(opened: ReadonlyMap<string, Buffer>, fixtures: Fixtures): Promise<string[]> {
  const text = (name: string) => opened.get(name)?.toString("utf8");
  const hostname = async (name: string) =>
    onionHostname((await parseOnionKey(opened.get(name) ?? Buffer.of())).publicKey);
  const sentences = {
    "the token is what the tests look for": text("token") === fixtures.token,
    "so is the rotated one": text("token-rotated") === fixtures.tokenRotated,
    "the onion key is that of the declared hostname": (await hostname("onion")) === fixtures.hostname,
    "the friend is a client's public key": /^descriptor:x25519:[A-Z2-7]{52}\n?$/.test(text("friend") ?? ""),
  };
  return Object.entries(sentences).flatMap(([sentence, holds]) => (holds ? [] : [sentence]));
}

/** @returns what is wrong with the fixtures; none if they are made, open, and are what the tests say of them */
export async function checkFixtures(fixtures: Fixtures, bundle: string): Promise<string[]> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sealed-onion-fixtures-"));
  try {
    const opened = await makeAndOpen(fixtures, bundle, folder);
    console.log(`  ${opened.size} files sealed and opened again: ${[...opened.keys()].join(", ")}`);
    return await wrong(opened, fixtures);
  } catch (error) {
    return [`the fixtures cannot be made: ${error instanceof Error ? error.message : error}`];
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}
