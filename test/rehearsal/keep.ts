import * as fs from "node:fs";
import * as path from "node:path";
import type { LoopbackAzure } from "loopback-azure/azure";
import { stringify } from "yaml";
import type { Engine } from "./engine/engine";
import type { Folders } from "./folders";
import type { Vm } from "./guest/vm";
import { keptText } from "./kept-text";
import type { Recoverer } from "./recovery";
import type { Scenario } from "./scenario";

/** What a rehearsal that is kept up can be used by. */
export interface KeptParts {
  azure: LoopbackAzure;
  engine: Engine;
  folders: Folders;
  recoverers: readonly Recoverer[];
  scenario: Scenario;
  vm: Vm;
  onionHostname: string;
  /** Of the private Tor network's client, on loopback. */
  socksPort: number;
}

/** Writes the file to source, and says in lines to copy what can be done, and where things lie. */
export async function keepOpen(parts: KeptParts): Promise<string> {
  const { azure, engine, folders, scenario, vm, onionHostname, socksPort } = parts;
  const file = path.join(folders.sources, "environment.sh"); // in memory: a throw-away client secret is in it
  fs.writeFileSync(file, environmentFile(parts), { mode: 0o600 });
  if (engine.name === "in-process") writeStackFile(folders.program, scenario);
  const [blobs = ""] = Object.values(await azure.blobDirectories());
  const pulumi =
    engine.name === "pulumi"
      ? ["pulumi stack output", "pulumi config set sealed-onion:vmSize Standard_B2ms && pulumi up"]
      : ["(no pulumi: this process was the engine, so no backend has this stack)"];
  return keptText({
    "the page": [`curl --proxy socks5h://127.0.0.1:${socksPort} http://${onionHostname}/`],
    "a shell with this Azure, in the program's folder": [`cd ${quoted(folders.program)} && . ${quoted(file)}`],
    "then, for example": [
      ...pulumi,
      `npm run secrets -- --stack ${scenario.stack}`,
      `sops decrypt --input-type json --output-type binary nix/stacks/${scenario.stack}/token.sops.json`,
    ],
    "where things lie": [
      `${folders.program}  the program, its stack is ${scenario.stack}`,
      `${path.join(folders.program, "nix", "stacks", scenario.stack)}  what is sealed: this is what git would get`,
      `${blobs}  the storage account's blobs`,
      `${folders.disks}  what the VM unpacked from its image`,
      `${vm.memory.path}  the VM's memory: the opened secrets`,
      ...(engine.name === "pulumi" ? [`${path.join(folders.engine, "backend")}  Pulumi's state`] : []),
    ],
  });
}

/** The workstation's way to this Azure, the engine's state and the tools of this run, for `.` in a POSIX shell. */
function environmentFile({ azure, engine, recoverers }: KeptParts): string {
  const { PATH, GNUPGHOME } = process.env;
  const variables: NodeJS.ProcessEnv = { PATH, GNUPGHOME, ...azure.workstation.env, ...engineEnvironment(engine) };
  const exports = Object.entries(variables).flatMap(([name, value]) =>
    value === undefined ? [] : `export ${name}=${quoted(value)}`,
  );
  const recovery = recoverers.flatMap(({ kind, environment }) =>
    Object.entries(environment).map(
      ([name, value = ""]) => `# as the ${kind} recipient alone: ${name}=${quoted(value)}`,
    ),
  );
  return `${[...exports, ...recovery].join("\n")}\n`;
}

function engineEnvironment(engine: Engine): NodeJS.ProcessEnv {
  if (engine.name !== "pulumi" || !("environment" in engine)) return {};
  const own = Object.entries(engine.environment as NodeJS.ProcessEnv);
  return Object.fromEntries(own.filter(([name, value]) => /^(PULUMI_|no_grpc_proxy$)/.test(name) && value));
}

/** For `npm run secrets`: the real engine has written it by itself. */
function writeStackFile(folder: string, { stack, config }: Scenario): void {
  const parsed = Object.entries(config).map(([key, text]) => [key, /^[[{]/.test(text) ? JSON.parse(text) : text]);
  fs.writeFileSync(path.join(folder, `Pulumi.${stack}.yaml`), stringify({ config: Object.fromEntries(parsed) }));
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
