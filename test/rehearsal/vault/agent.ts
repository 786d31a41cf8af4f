import * as fs from "node:fs";
import * as path from "node:path";
import { runChild } from "../../../components/process/child-process";
import { withGuestPrograms } from "../guest/guest-programs";
import { startProcess } from "./process";
import { freePort, type VaultProgram, type VaultServer } from "./server";

/** The parts of the rendered configuration that name where things are. */
interface AgentSettings {
  vault: { address: string };
  auto_auth: { method: { config: Record<string, string> }[]; sink: { config: { path: string } }[] };
  listener: { address: string }[];
  template: { destination: string }[];
}

export interface AgentOptions {
  server: VaultServer;
  /** The VM's environment: its proxy, its metadata service. */
  machine: NodeJS.ProcessEnv;
  clientId: string;
  role: string;
  /** On the VM's memory file system, where the guest has `/run/vault-agent`. */
  folder: string;
}

export interface VaultAgent {
  /** The agent's listener: requests through it have the agent's token. */
  ask(method: string, location: string): ReturnType<VaultServer["ask"]>;
  /** What the guest's timer does besides: for OpenBao's agent it sees to a fresh login. */
  tick(): Promise<void>;
  tokenFile: string;
  renderedFile: string;
  log(): string;
  close(): Promise<void>;
}

const GOLDEN = path.join("nix", "eval", "golden");

/**
 * Starts the agent on the VM with the configuration that the Nix module renders (its golden file); only addresses,
 * identity, role and folders are this run's.
 */
export async function startAgent(program: VaultProgram, options: AgentOptions): Promise<VaultAgent> {
  const { server, machine, folder } = options;
  fs.mkdirSync(path.join(folder, "rendered"), { recursive: true, mode: 0o700 });
  const { settings, tick } = program.flavour === "vault" ? vaultsOwn(options) : withLoginScript(options);
  const address = `127.0.0.1:${await freePort()}`;
  settings.vault.address = server.address;
  for (const listener of settings.listener) listener.address = address;
  const file = path.join(folder, "agent.json");
  fs.writeFileSync(file, JSON.stringify(settings));
  await tick(); // the agent's unit comes after that of the login
  const { PATH } = process.env;
  const running = startProcess(program.file, ["agent", `-config=${file}`], { PATH, HOME: folder, ...machine });
  const [sink] = settings.auto_auth.sink;
  const [template] = settings.template;
  return {
    ask: askThrough(address),
    tick,
    tokenFile: sink?.config.path ?? "",
    renderedFile: template?.destination ?? "",
    log: running.log,
    close: running.close,
  };
}

/** Vault's agent logs in with the identity by itself. */
function vaultsOwn({ folder, clientId, role }: AgentOptions) {
  const settings: AgentSettings = readGolden("vault-agent.json", folder);
  for (const { config } of settings.auto_auth.method) Object.assign(config, { client_id: clientId, role });
  return { settings, tick: async () => {} };
}

/** OpenBao's reads the token that the guest's own script has got, told what the guest's unit tells it. */
function withLoginScript({ server, machine, folder, clientId, role }: AgentOptions) {
  const { settings, login } = readGolden<{
    settings: AgentSettings;
    login: { environment: Record<string, string> };
  }>("vault-agent-openbao.json", folder);
  const PATH = withGuestPrograms();
  const environment = {
    ...login.environment,
    SEALED_ONION_VAULT_ADDRESS: server.address,
    SEALED_ONION_VAULT_ROLE: role,
    SEALED_ONION_VAULT_CLIENT_ID: clientId,
    PATH,
    ...machine,
    no_proxy: "127.0.0.1", // there the Vault listens
  };
  const script = path.resolve("nix", "scripts", "vault-login.sh");
  const asItsUnitDoes = ["-o", "errexit", "-o", "nounset", "-o", "pipefail", script, folder];
  const tick = async () => {
    const { code, stderr } = await runChild("bash", asItsUnitDoes, { environment });
    if (code !== 0) throw new Error(`the login script: ${stderr.trim()}`);
  };
  return { settings, tick };
}

function readGolden<T>(name: string, folder: string): T {
  return JSON.parse(fs.readFileSync(path.join(GOLDEN, name), "utf8").replaceAll("/run/vault-agent", folder));
}

function askThrough(address: string): VaultAgent["ask"] {
  return async (method, location) => {
    const headers = { "X-Vault-Request": "true" };
    const response = await fetch(`http://${address}/v1/${location}`, { method, headers });
    return { status: response.status, body: JSON.parse(await response.text()) };
  };
}
