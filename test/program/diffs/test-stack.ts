import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type Cloud, createCloud } from "loopback-azure/cloud";
import { sameKeys } from "loopback-azure/entra/rsa-key";
import { simulatedAzureNative } from "loopback-azure/provider/azure-native";
import type { Right } from "loopback-azure/provider/needed-rights";
import { expect } from "vitest";
import { fixedVhdFooter } from "../../../components/image/disk/vhd-footer";
import { WORKING } from "../../components/stack/malformed/working";
import { changesOf, type Engine } from "../../rehearsal/engine/engine";
import { startInProcess } from "../../rehearsal/engine/in-process-engine";
import { simulatedRandom } from "../../rehearsal/providers/random";
import { pulumiConfig } from "../../rehearsal/pulumi-config";
import { pretendedCommands } from "./pretended-commands";

const DISK_BYTES = 1_048_576;
const generateKey = sameKeys();
const SECRETS = { "onion-key": { source: { onion: {} } }, token: { source: { file: "token.txt" } } };

/** This program and a subscription of its own, with commands that only pretend. */
export interface TestStack {
  /** The program's. */
  readonly folder: string;
  readonly engine: Engine;
  /** As whom the program runs, in the configuration's spelling. */
  readonly sealer: string;
  /** Somebody else in the same directory. */
  readonly teammate: string;
  readonly cloud: Cloud;
  /** Registers a feature of Microsoft.Compute for the subscription. */
  register(feature: string): void;
  /** Makes a resource of azure-native as somebody else would, and answers its id. */
  make(token: string, inputs: Record<string, unknown>): Promise<string>;
  /** Makes a disk encryption set, as somebody else would, and answers its id. */
  encryptionSet(): string;
  /** From then on, what the one who runs the program may do on Azure's control plane. */
  restrict(allows: ((right: Right) => boolean) | undefined): void;
  /** What took its time, in order: `build DIGEST` and `upload DIGEST`. */
  readonly work: readonly string[];
  close(): Promise<void>;
}

export function startStack(): TestStack {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sealed-onion-diffs-"));
  // The guest's files matter by their digest alone: one is enough, and a copy of the program would take most of the time.
  fs.mkdirSync(path.join(folder, "nix"));
  fs.writeFileSync(path.join(folder, "nix", "flake.nix"), "{ }\n");
  for (const part of ["components", "node_modules"]) fs.symlinkSync(path.resolve(part), path.join(folder, part), "dir");
  fs.writeFileSync(path.join(folder, "token.txt"), "the first token", { mode: 0o600 });
  const { azure, cloud, principal, providers, restrict, work } = standIns(folder);
  const teammate = cloud.directory.addApplication({ displayName: "teammate" });
  const engine = startInProcess({ folder, project: "sealed-onion", stack: "dev", config: configure(), providers });
  return {
    folder,
    engine,
    sealer: `servicePrincipal:${principal.objectId}`,
    teammate: `servicePrincipal:${teammate.objectId}`,
    work,
    cloud,
    restrict,
    register: (name) => {
      const id = `/subscriptions/${cloud.subscriptionId}/providers/Microsoft.Features/providers/Microsoft.Compute/features/${name}`;
      cloud.put({ id, type: "Microsoft.Features/features", name, properties: { state: "Registered" } });
    },
    make: async (token, inputs) => {
      const type = `azure-native:${token}`;
      const request = { urn: `urn:pulumi:hub::hub::${type}::hub`, type, name: "hub" };
      const checked = await azure.check({ ...request, olds: undefined, news: inputs, randomSeed: new Uint8Array(32) });
      expect(checked.failures).toEqual([]);
      return (await azure.create({ ...request, inputs: checked.inputs, preview: false })).id;
    },
    encryptionSet: () => {
      const type = "Microsoft.Compute/diskEncryptionSets";
      const id = `/subscriptions/${cloud.subscriptionId}/resourceGroups/keys/providers/${type}/disks`;
      return cloud.put({ id, type, name: "disks", location: "westeurope", properties: {} }).id;
    },
    close: async () => {
      await engine.close();
      fs.rmSync(folder, { recursive: true });
    },
  };
}

/** A subscription, and what stands for Pulumi's providers: see `pretendedCommands`. */
export function standIns(folder: string) {
  const cloud = subscription();
  const principal = cloud.directory.addApplication({ displayName: "ci" });
  const work: string[] = [];
  let may: (right: Right) => boolean = () => true;
  const restrict: TestStack["restrict"] = (allows = () => true) => {
    may = allows;
  };
  const allows = (right: Right) => may(right);
  const azure = simulatedAzureNative({ cloud, principal, location: "westeurope", allows });
  const providers = [azure, simulatedRandom(), pretendedCommands(folder, work)];
  return { azure, cloud, principal, work, restrict, providers };
}

/** The stack's configuration, as Pulumi keeps it: each change is a new image, but for tests of what is done in place. */
export function configure(change: Readonly<Record<string, unknown>> = {}): Record<string, string> {
  return pulumiConfig({ ...WORKING, secrets: SECRETS, keySize: 2048, status: false, update: "replace", ...change });
}

/** What a preview says, after checking that `up` does just that. */
export async function said(engine: Engine): Promise<string[]> {
  const previewed = changesOf(await engine.preview());
  const done = changesOf(await engine.up());
  expect(previewed).toEqual(done);
  return done;
}

/** A subscription in which every blob is a disk. */
function subscription() {
  const cloud = createCloud({ generateKey });
  const footer = fixedVhdFooter(DISK_BYTES, Buffer.alloc(16));
  cloud.attachBlobs({
    properties: async () => ({ type: "PageBlob", size: DISK_BYTES + footer.length, metadata: {}, isLeased: false }),
    read: async () => footer,
    written: async () => [],
  });
  return cloud;
}
