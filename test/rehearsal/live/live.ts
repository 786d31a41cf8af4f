import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { createInterface } from "node:readline/promises";
import { askAzure } from "../../../components/azure/azure-request";
import { managementScope } from "../../../components/azure/clouds";
import { providerSettings } from "../../../components/azure/provider-settings";
import { createTokenSource } from "../../../components/azure/token-source";
import { whoIs } from "../../../components/azure/who";
import { subscriptionInUse } from "../../../components/doctor/login";
import { findOnPath } from "../../../components/process/find-program";
import type { Cleanup } from "../cleanup";
import { startPulumi } from "../engine/pulumi";
import { type Folders, makeFolders } from "../folders";
import { RECORDING_FILE } from "../recording/entries";
import { upstreamOf } from "../recording/forward";
import { type Recorder, startRecorder } from "../recording/recorder";
import { stackConfig } from "../scenario";
import { requireTools } from "../setup";
import { Steps } from "../steps";
import { fetchOnion } from "../tor/fetch-onion";
import { portOf } from "../tor/network";
import { startTor } from "../tor/process";
import { cleanLive, type Subscription } from "./clean";
import { tellFirst } from "./first-story";
import { type LivePlan, livePlan, planText } from "./plan";
import { untilInUse } from "./rotated";
import { begun, forget, remember } from "./runs";
import { withinTime } from "./time-limit";

export interface LiveChoices {
  clean: boolean;
  yes: boolean;
  region: string;
  vhd?: string | undefined;
}

/** A machine's first boot, its reports and the way of its address through the public Tor network. */
const PUBLIC_TOR_MS = 10 * 60_000;

/** Kept between runs: Pulumi's plugins are hundreds of megabytes. */
const HOME = path.resolve(".cache", "live");

const say = (line: string) => void process.stderr.write(`${line}\n`);

/** The first story against the subscription that is logged in. @returns the exit code */
export async function rehearseLive(choices: LiveChoices, cleanup: Cleanup): Promise<number> {
  const { subscription, who } = await logIn();
  if (choices.clean) return clean(subscription);
  if (findOnPath("pulumi") === undefined)
    throw new Error("--live needs pulumi on PATH: type brew install pulumi, or follow pulumi.com/docs/install");
  await requireTools(["sops", "tor"], say);
  const plan = livePlan(choices.region, choices.vhd && path.resolve(choices.vhd));
  say(planText(plan, subscription.id, who));
  if (!(await isWanted(choices.yes))) return 1;
  remember(HOME, plan.resourceGroup);
  cleanup.add(async () => {
    await cleanLive(subscription, [plan.resourceGroup], say);
    forget(HOME, plan.resourceGroup);
  });
  await withinTime(plan.expires, () => tell(plan, subscription, cleanup));
  return 0;
}

async function logIn(): Promise<{ subscription: Subscription; who: string }> {
  const settings = providerSettings(() => undefined, process.env);
  const login = createTokenSource(settings, process.env);
  const token = async () => (await login.getToken(managementScope(login.cloud))).token;
  await token();
  const id = await subscriptionInUse(login, settings);
  if (!id) throw new Error("no subscription is named: type export ARM_SUBSCRIPTION_ID=ID");
  return { subscription: { id, resourceManager: login.cloud.resourceManager, token }, who: login.who };
}

async function clean(subscription: Subscription): Promise<number> {
  const own = begun(HOME);
  const removed = await cleanLive(subscription, own, say);
  for (const group of own) forget(HOME, group);
  say(removed.length === 0 ? "nothing of a live rehearsal is left" : `removed: ${removed.join(", ")}`);
  return 0;
}

async function isWanted(yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY) throw new Error("--live makes things that cost money: add --yes where nobody can be asked");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question("type yes to go on: ");
  terminal.close();
  return answer.trim() === "yes";
}

/** Beside the run: what Azure was asked and what it answered, to compare the stand-in with. */
async function record(folders: Folders, subscription: Subscription, cleanup: Cleanup): Promise<Recorder> {
  const who = whoIs(await subscription.token());
  const recorder = await startRecorder({
    file: path.resolve(RECORDING_FILE),
    folder: folders.temporary,
    asker: { ...who, subscriptionId: subscription.id },
    upstream: upstreamOf(process.env),
  });
  cleanup.add(() => recorder.close());
  return recorder;
}

async function tell(plan: LivePlan, subscription: Subscription, cleanup: Cleanup): Promise<void> {
  const folders = makeFolders(cleanup);
  const recorder = await record(folders, subscription, cleanup);
  const token = path.join(folders.sources, "token");
  const rotate = () => fs.writeFileSync(token, `token-${randomBytes(24).toString("hex")}`, { mode: 0o600 });
  rotate();
  const secrets = { onion: { source: { onion: {} } }, token: { source: { file: token } } };
  const config = { ...stackConfig(secrets), "sealed-onion:status": "true", ...plan.config };
  const environment = { ...process.env, ...recorder.environment };
  const parts = { folder: folders.program, home: HOME, stack: plan.stack, config, providers: [], environment };
  const engine = recorder.engine(await startPulumi(parts));
  cleanup.add(() => engine.close());
  const tor = await startTor("tor", path.join(folders.tor, "client"), ["SocksPort 127.0.0.1:auto"]);
  cleanup.add(() => tor.close());
  const socksPort = portOf(await tor.control.ask("GETINFO net/listeners/socks"));
  let vm = "";
  const recorded = { ...subscription, ask: recorder.asking(askAzure) };
  await tellFirst(
    {
      engine,
      async boot({ vmId }) {
        vm = String(vmId); // `up` has waited until the machine published its address
      },
      fetch: (url) => fetchOnion(socksPort, url, { deadlineMs: PUBLIC_TOR_MS, tryMs: 90_000 }),
      rotate,
      hasRotated: () => untilInUse(vm, async () => ({ ...recorded, token: await recorded.token() }), PUBLIC_TOR_MS),
    },
    new Steps(),
  );
}
