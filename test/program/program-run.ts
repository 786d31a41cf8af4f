import { HOSTNAME, type ProjectFolder, projectFolder } from "../components/project-folder";
import { type MockOptions, type Registration, settled, startMocks } from "../components/pulumi-mocks";
import { WORKING } from "../components/stack/malformed/working";
import { roleOf } from "../rehearsal/engine/engine";
import { loadProgram } from "../rehearsal/engine/load-program";
import { pulumiConfig } from "../rehearsal/pulumi-config";

export const FILE_PLAINTEXT = "file-plaintext-correct-horse";
export const ENV_PLAINTEXT = "env-plaintext-battery-staple";
const SECRETS = {
  "onion-key": { source: { onion: {} } },
  token: { source: { file: "token.txt" }, owner: "web", group: "web", mode: "0440", restart: ["web.service"] },
  password: { source: { env: "SEALED_ONION_TEST_PASSWORD" } },
};

const program = loadProgram(process.cwd()) as () => Promise<typeof import("../../index.js")>;

export const RELEASE = { path: "/nix/store/x", generation: 3, signature: "k:s" };
export const PUBLIC_KEY = "sealed-onion-dev:AAAA";

/** What the programs of an update in place print; of others, that they have ended. */
function runOf(name: string): string {
  if (name.endsWith("signing-key")) return JSON.stringify({ publicKey: PUBLIC_KEY });
  if (name.endsWith("-publish")) return JSON.stringify(RELEASE);
  if (name.startsWith("system-")) return JSON.stringify({ system: RELEASE.path });
  return JSON.stringify({ completedAt: "2026-01-02T03:04:00Z" });
}

/** A project's folder with three secrets, sealed as if by an earlier `up`; the process works in it until it is removed. */
export function projectWithSecrets(): ProjectFolder {
  const project = projectFolder();
  project.write("token.txt", FILE_PLAINTEXT);
  process.env.SEALED_ONION_TEST_PASSWORD = ENV_PLAINTEXT;
  project.seal("dev", "onion-key", { hostname: HOSTNAME });
  for (const name of ["token", "password"]) project.seal("dev", name);
  return {
    ...project,
    remove: () => {
      project.remove();
      delete process.env.SEALED_ONION_TEST_PASSWORD;
    },
  };
}

/** The whole program under Pulumi's mocks: `WORKING` with the three secrets, and what is changed in it. */
export async function runProgram(change: Readonly<Record<string, unknown>> = {}, options: MockOptions = {}) {
  const config = pulumiConfig({ ...WORKING, secrets: SECRETS, ...change });
  const registrations = await startMocks({ config, run: runOf, ...options });
  const exports = await program();
  await settled();
  return { registrations: registrations.map(byRole), exports };
}

/** A resource under the name that it has in every region: `vault-dev-westeurope-key` is `vault-key`. */
function byRole(registration: Registration): Registration {
  const { name, parent, options } = registration;
  const role = (known: string) => roleOf("dev", known);
  return {
    ...registration,
    name: role(name),
    parent: parent === undefined ? undefined : role(parent),
    options: { ...options, dependsOn: options.dependsOn.map(role).sort() },
  };
}
