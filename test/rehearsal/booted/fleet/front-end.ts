import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LoopbackAzure } from "loopback-azure/azure";
import { parseOnionKey } from "../../../../components/onion/keys";
import type { Cleanup } from "../../cleanup";
import { saysOfItself, write } from "../../fleet/speaking-machines";
import type { Folders } from "../../folders";
import { unseal } from "../../guest/unseal";
import { bootVm } from "../../guest/vm";
import type { Plaintext } from "../../leaks";
import { type FrontEnd, startFrontEnd } from "../../replicas/front-end";
import type { Onionbalance } from "../../replicas/onionbalance";
import type { TorNetwork } from "../../tor/network";

export interface FrontEndParts {
  readonly azure: LoopbackAzure;
  readonly folders: Folders;
  readonly tor: TorNetwork;
  readonly onionbalance: Extract<Onionbalance, { python: string }>;
  readonly cleanup: Cleanup;
}

/** A light front end: what it has opened with its own identity, and what it publishes. */
export interface LightFrontEnd {
  readonly front: FrontEnd;
  readonly hostname: string;
  /** The address's key, which must be nowhere. */
  readonly plaintext: Plaintext;
}

const UNSEAL_MS = 60_000;
const SPEAK_MS = 1_000;

/** Starts a front end as the VM that Azure has for it: its key and its backends come from the image. */
export async function startLightFrontEnd(parts: FrontEndParts, vmId: string): Promise<LightFrontEnd> {
  const { azure, cleanup, folders, onionbalance, tor } = parts;
  const vm = await bootVm(azure, vmId, path.join(folders.disks, "front-end"));
  cleanup.add(() => vm.close());
  const opened = await unseal(vm.unsealing, UNSEAL_MS);
  const [service] = Object.values(vm.facts.frontEnd?.services ?? {});
  if (service === undefined) throw new Error("the front end's image declares no address");
  const { backends, hostname, secret } = service;
  const key = await parseOnionKey(fs.readFileSync(opened.get(secret) ?? ""));
  const front = await startFrontEnd({ network: tor, onionbalance, name: "front-end", key, hostname, backends });
  cleanup.add(() => front.close());
  speak(azure, vmId, `${vm.facts.status?.containerUrl}`, { front, hostname }, cleanup);
  return { front, hostname, plaintext: { name: secret, bytes: Buffer.from(key.secretKey) } };
}

/** Says to Azure what the front end's own record says, as its machine would. */
function speak(
  azure: LoopbackAzure,
  vmId: string,
  container: string,
  { front, hostname }: Pick<LightFrontEnd, "front" | "hostname">,
  cleanup: Cleanup,
): void {
  let isOpen = true;
  const speaking = (async () => {
    for (; isOpen; await sleep(SPEAK_MS)) {
      const record = front.record();
      const resource = azure.cloud.get(vmId);
      if (!record?.published || resource === undefined) continue;
      const services = { site: { hostname, published: record.published, state: "own" as const } };
      const status = { ...saysOfItself(resource), services, frontEnd: { [hostname]: record } };
      await write(azure, resource, `${container}/${resource.name}.json`, status);
    }
  })();
  speaking.catch(() => {}); // `up` waits for what it says, and tells that it is silent
  cleanup.add(async () => {
    isOpen = false;
    await speaking.catch(() => {});
  });
}
