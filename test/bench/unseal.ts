import { randomBytes } from "node:crypto";
import * as path from "node:path";
import { findOnPath } from "../../components/process/find-program";
import { until } from "../rehearsal/booted/console";
import { deployBooted } from "../rehearsal/booted/deployment";
import type { Stage } from "../rehearsal/booted/stage";
import { property } from "../rehearsal/booted/stories/services";
import { manifestOf } from "../rehearsal/booted/stories/switches";
import { sealed, setUserData } from "../rehearsal/booted/stories/user-data";
import type { Cleanup } from "../rehearsal/cleanup";
import { Steps } from "../rehearsal/steps";
import { runBootedBench } from "./booted-bench";
import { median } from "./median";

/**
 * How long a machine that boots takes from the network to all of its 20 secrets open, beside sops-install-secrets as
 * sops-nix starts it: that module's own unit on the same disk, which does not wait for the network (its Azure client tries
 * again by itself), and once more with the network before it, as ours has. Boots in turns, medians.
 *
 *   npm run bench:unseal [-- --json]
 */
const SECRETS = 20;
const BOOTS = 5;
const BAR_SECONDS = 0.5;
const UNIT = "sops-install-secrets.service";
/** The system's own, which each boot writes, and the one before which systemd takes. */
const UNIT_FILE = `/etc/systemd/system/${UNIT}`;
const FIRST_UNIT_FILE = `/etc/systemd/system.control/${UNIT}`;
const MANIFEST = "/nix/store/bench-manifest.json";

/** As modules/sops/default.nix of sops-nix writes it. @param network what it waits for besides */
function upstreamUnit(ours: string, network: string): string {
  const environment = ours.split("\n").filter((line) => /^Environment="(AZURE_|HOME|SOPS_)/.test(line));
  return [
    ...[
      "[Unit]",
      "DefaultDependencies=no",
      `After=local-fs.target systemd-sysusers.service userborn.service ${network}`,
    ],
    ...["Before=sysinit-reactivation.target", ...(network === "" ? [] : [`Wants=${network}`])],
    ...["[Service]", "Type=oneshot", ...environment, `ExecStart=/usr/bin/sops-install-secrets ${MANIFEST}`],
    "RemainAfterExit=true",
    "",
  ].join("\n");
}

async function bench(cleanup: Cleanup): Promise<number> {
  const replaced = { "sealed-onion:update": "replace", "sealed-onion:status": "false" }; // as sops-nix: opened at once
  const { stage, deploying } = await deployBooted(new Steps(), cleanup, replaced);
  await deploying;
  return report(await measure(stage));
}

/** Seconds from the network to the last secret, one a boot. */
interface Measured {
  readonly ours: number[];
  /** In sops-nix's own order. */
  readonly upstream: number[];
  readonly upstreamAfterNetwork: number[];
}

async function measure(stage: Stage): Promise<Measured> {
  setUserData(stage, {});
  await stage.machine.switchOn();
  await opened(stage);
  await writeSecrets(stage);
  const unit = (await stage.machine.run("cat", [UNIT_FILE])).replaceAll(await manifestOf(stage), MANIFEST);
  const seconds: Measured = { ours: [], upstream: [], upstreamAfterNetwork: [] };
  for (let boot = 0; boot < BOOTS; boot++) {
    seconds.upstream.push(await bootWith(stage, upstreamUnit(unit, "")));
    seconds.upstreamAfterNetwork.push(await bootWith(stage, upstreamUnit(unit, "network-online.target")));
    seconds.ours.push(await bootWith(stage, unit));
  }
  return seconds;
}

/** 20 sealed files, those of the deployment among them, and a manifest of all. */
async function writeSecrets(stage: Stage): Promise<void> {
  const manifest = JSON.parse(await stage.machine.run("cat", [await manifestOf(stage)]));
  const like = manifest.secrets.find(({ name }: { name: string }) => name === "token");
  while (manifest.secrets.length < SECRETS) {
    const name = `bench-${manifest.secrets.length}`;
    const sopsFile = `/nix/store/${name}.sops.json`;
    await write(stage, sopsFile, JSON.stringify(await sealed(stage, name, randomBytes(200))));
    manifest.secrets.push({ ...like, name, sopsFile, path: `/run/secrets/${name}`, restartUnits: [] });
  }
  await write(stage, MANIFEST, JSON.stringify(manifest));
}

async function write({ machine }: Stage, file: string, text: string): Promise<void> {
  await machine.run("tee", [file], { input: Buffer.from(text) });
}

/** @returns seconds from the network to the last secret */
async function bootWith(stage: Stage, unit: string): Promise<number> {
  await stage.machine.run("mkdir", ["-p", path.dirname(FIRST_UNIT_FILE)]);
  await write(stage, FIRST_UNIT_FILE, unit);
  await stage.machine.reboot();
  await opened(stage);
  const found = Number(await stage.machine.run("sh", ["-c", "ls /run/secrets/ | wc -l"]));
  if (found !== SECRETS) throw new Error(`${found} secrets are open, ${SECRETS} are declared`);
  const [network, open] = [
    await property(stage, "network-online.target", "ActiveEnterTimestampMonotonic"),
    await property(stage, UNIT, "ActiveEnterTimestampMonotonic"),
  ].map(Number);
  return ((open ?? 0) - (network ?? 0)) / 1e6;
}

async function opened(stage: Stage): Promise<void> {
  await until(async () => (await property(stage, UNIT, "ActiveState")) === "active", 60_000);
}

function report(measured: Measured): number {
  const [ours, upstream, after] = [measured.ours, measured.upstream, measured.upstreamAfterNetwork].map(median);
  const ratio = (other = 0) => Number(((ours ?? 0) / other).toFixed(2));
  const seconds = Number((ours ?? 0).toFixed(3));
  const figures = { secrets: SECRETS, seconds, ratioToUpstream: ratio(upstream), ratioAfterNetwork: ratio(after) };
  console.log(`from the network to ${SECRETS} open secrets: ${seconds} s (at most ${BAR_SECONDS})`);
  console.log(`sops-nix's own unit: ${upstream?.toFixed(3)} s (ratio ${figures.ratioToUpstream})`);
  console.log(`the same, started after the network: ${after?.toFixed(3)} s (ratio ${figures.ratioAfterNetwork})`);
  if (process.argv.includes("--json")) console.log(JSON.stringify(figures));
  return seconds <= BAR_SECONDS ? 0 : 1;
}

const missing = findOnPath("sops-install-secrets") ? undefined : "sops-install-secrets is not on PATH";
runBootedBench("test/bench/unseal.ts", bench, missing);
