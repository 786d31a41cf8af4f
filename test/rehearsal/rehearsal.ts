import * as fs from "node:fs";
import * as path from "node:path";
import type { LoopbackAzure } from "loopback-azure/azure";
import type { Cleanup } from "./cleanup";
import { refuseThenOpen } from "./denials";
import { type Deployment, deploy } from "./deploy";
import { setStage } from "./engine/stage";
import { startEngine } from "./engine/start-engine";
import { tellStory } from "./engine/story";
import { type Folders, makeFolders } from "./folders";
import { checkIn } from "./guest/check-in";
import { bootVm, serveOnion, type Vm } from "./guest/vm";
import { keepOpen } from "./keep";
import type { Plaintext } from "./leaks";
import { ProcessSampler } from "./process-sampler";
import { cannotRecover, recoverAfresh } from "./recover-stack";
import { openWithoutVault, RECOVERY_TOOLS, type Recoverer } from "./recovery";
import type { RehearsalReport, Rehearsed } from "./report";
import { DISK_BUILDER, makeScenario, type Scenario } from "./scenario";
import { searchEverything } from "./search-everything";
import { requireTools } from "./setup";
import { kindsOf, makeRecovery, startCloud, startTor } from "./start-parts";
import { Steps } from "./steps";
import { fetchOnion } from "./tor/fetch-onion";
import type { TorNetwork } from "./tor/network";
import { rehearseVault } from "./vault/story";

export interface RehearsalChoices {
  engine: "in-process" | "pulumi";
  /** Build the real image with Nix rather than the small disk that stands for it. */
  nix: boolean;
  /** Log in to HashiCorp Vault with the VM's identity as well. */
  vault: boolean;
  /** Under the real engine: a second stack's whole life as well. */
  all: boolean;
}

/** Runs the whole deployment once. Everything that it starts is in `cleanup`, whatever happens. */
export async function rehearse(choices: RehearsalChoices, cleanup: Cleanup): Promise<Rehearsed> {
  const { engine: engineName } = choices;
  const steps = new Steps();
  if (engineName === "pulumi" && !choices.all)
    steps.say(
      "the engine is the pulumi on PATH; a stack's whole life under it, two to four minutes, is told with --all",
    );
  const tools = ["sops", "tor", "tor-gencert", "curl", "jq"] as const;
  const besides = [...RECOVERY_TOOLS, "git"] as const;
  await steps.run("tools on PATH", () => requireTools([...tools], (line) => steps.say(line), [...besides]));
  const folders = makeFolders(cleanup);
  const sampler = new ProcessSampler();
  cleanup.add(() => sampler.close());
  const tor = startTor(folders, cleanup); // beside the deployment: it takes about as long
  const azure = await steps.run("Azure on loopback", () => startCloud(folders, cleanup));
  const recoverers = await makeRecovery(steps, folders, cleanup);
  const scenario = makeScenario(folders.sources, recoverers, choices.nix ? undefined : DISK_BUILDER);
  const engine = await startEngine(engineName, { azure, folder: folders.program, home: folders.engine, ...scenario });
  cleanup.add(() => engine.close());
  const deployment = await steps.run(
    "pulumi up: vault, secrets, image, VM",
    () => deploy(engine, azure),
    ({ resources }) => `${resources} resources by ${engine.name} ${engine.version}`,
  );
  const vm = await steps.run("the VM boots from the uploaded image", async () => {
    const booted = await bootVm(azure, deployment.vmId, path.join(folders.disks, "vm"));
    cleanup.add(() => booted.close());
    return booted;
  });
  const opened = await refuseThenOpen(steps, azure, vm, cleanup);
  await steps.run(
    "the VM reports ready to Azure",
    () => reportReady(vm),
    (program) => `by ${program}`,
  );
  const again = "all lost but git and the age key: made again";
  const cannot = cannotRecover(recoverers);
  const { onionHostname } = deployment;
  const lost = { engine: engineName, sources: folders.sources, scenario, recoverers, opened, onionHostname };
  const recovered = cannot === undefined ? recoverAfresh(lost, folders, cleanup) : undefined; // while the page is waited for
  recovered?.catch(() => {}); // a failure shows where it is used
  const httpStatus = await steps.run(
    "its page, fetched over Tor",
    async () => fetchPage(deployment, await tor, vm, opened, folders, cleanup),
    (status) => `${status}: http://${deployment.onionHostname}/`,
  );
  if (recovered === undefined) steps.skip(again, cannot ?? "");
  else
    await steps.run(
      again,
      () => recovered,
      () => "in another tenant, at the same address",
    );
  if (engineName === "pulumi" && choices.all) await tellLife(steps, azure, cleanup);
  const vault = { azure, machine: vm.machine, folder: folders.temporary, memory: vm.memory.path, steps, cleanup };
  const skippedVault = choices.vault ? await rehearseVault(vault) : [];
  const alone = "every recipient alone opens, the vault gone";
  if (recoverers.length === 0) steps.skip(alone, "the vault is the only one");
  else
    await steps.run(
      alone,
      () => recover(vm, opened, recoverers),
      () => kindsOf(recoverers),
    );
  const { leaks, canaryFound } = await steps.run("search for plaintext", async () =>
    search(deployment, scenario, vm, opened, folders, sampler),
  );
  if (!sampler.available) steps.skip("search of process lists", "this system has no /proc");
  const report: RehearsalReport = {
    engine: deployment.engine,
    guest: "light",
    resources: deployment.resources,
    onionHostname,
    httpStatus,
    secretsUnsealed: opened.size,
    leaks,
    canaryFound,
    bytesUploaded: deployment.bytesUploaded,
    steps: steps.times,
    stories: [],
    skipped: [...steps.skipped(), ...skippedVault],
    ok: httpStatus === 200 && canaryFound && leaks.length === 0,
  };
  const { socksPort } = (await tor).client;
  const kept = { azure, engine, folders, recoverers, scenario, vm, onionHostname, socksPort };
  return { report, keepOpen: () => keepOpen(kept) };
}

/** Under the real engine: a second stack's whole life, its diffs, failures and end. */
async function tellLife(steps: Steps, azure: LoopbackAzure, cleanup: Cleanup): Promise<void> {
  const { program: folder, engine: home, sources } = makeFolders(cleanup);
  const stage = await setStage("pulumi", { azure, folder, home, sources });
  cleanup.add(() => stage.engine.close());
  await tellStory(stage, { onChapter: ({ name, seconds, note }) => steps.done(name, seconds, note) });
}

async function reportReady({ machine }: Vm) {
  const program = await checkIn(machine);
  const { state, detail } = machine.provisioning();
  if (state !== "Succeeded") throw new Error(`Azure does not take the VM for ready: ${state} ${detail ?? ""}`);
  return program;
}

/** The stack is made again while the page is waited for, and that changes the current folder. */
const PAGE = path.resolve("nix", "site", "index.html");

async function fetchPage(
  { onionHostname }: Deployment,
  network: TorNetwork,
  vm: Vm,
  opened: Map<string, string>,
  folders: Folders,
  cleanup: Cleanup,
) {
  const service = await serveOnion(vm, opened, network, path.join(folders.tor, "service"));
  cleanup.add(() => service.close());
  const { status, body } = await fetchOnion(network.client.socksPort, `http://${onionHostname}/`, {
    deadlineMs: 40_000,
  });
  if (status === 200 && !body.equals(fs.readFileSync(PAGE)))
    throw new Error(`http://${onionHostname}/ shows another page than nix/site/`);
  return status;
}

async function recover(vm: Vm, opened: Map<string, string>, recoverers: Recoverer[]) {
  for (const [name, file] of opened) {
    const sealedFile = path.join(vm.unsealing.sealedFolder, vm.facts.secrets[name]?.sealedFile ?? "");
    for (const recoverer of recoverers) {
      const plaintext = await openWithoutVault(sealedFile, recoverer);
      if (!plaintext.equals(fs.readFileSync(file))) {
        throw new Error(`the ${recoverer.kind} recipient opens '${name}' to something else than the VM does`);
      }
    }
  }
}

function search(
  { state, log }: Deployment,
  { plaintexts }: Scenario,
  vm: Vm,
  opened: Map<string, string>,
  folders: Folders,
  sampler: ProcessSampler,
) {
  const { program, azure, temporary, disks, engine } = folders;
  return searchEverything([...plaintexts, ...onionKeys(vm, opened)], {
    folders: [program, azure, temporary, disks, engine],
    texts: new Map([
      ["Pulumi's state", state],
      ["the update's log", log],
      ["the VM's console", Buffer.from(vm.consoleLines.join("\n"))],
      ["the process list", sampler.text()],
    ]),
  });
}

/** An onion key is known only once the VM has opened it: its 64 bytes, and the scalar alone. */
function onionKeys(vm: Vm, opened: Map<string, string>): Plaintext[] {
  const names = new Set(Object.values(vm.facts.services).map(({ secret }) => secret));
  return [...opened].flatMap(([name, file]) => {
    if (!names.has(name)) return [];
    const key = fs.readFileSync(file).subarray(-64);
    return [
      { name, bytes: key },
      { name: `${name}'s scalar`, bytes: key.subarray(0, 32) },
    ];
  });
}
