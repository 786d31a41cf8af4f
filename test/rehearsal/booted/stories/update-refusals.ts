import type { FaultEffect } from "loopback-azure/gateway/faults";
import { narInfoName } from "../../../../components/system/publish/nar-info";
import { type Release, signRelease } from "../../../../components/system/publish/release";
import { newSigningKey, readSigningKey } from "../../../../components/system/signing-key/signing-key";
import type { MachineStatus } from "../../../../components/vm/status/machine-status";
import type { RunFailed } from "../../engine/engine";
import { readBlob, removeBlob, writeBlob } from "../blobs";
import { until } from "../console";
import type { Stage } from "../stage";
import type { Story } from "./story";
import { firstPage, nextPage, pageFile, servesPage, withBack, write } from "./updates";
import { putUserData } from "./user-data";

/** From a change until the machine has looked, and has said what it thinks of it. */
const SAID_MS = 60_000;

/** Waits until the machine's status says this of the system that it is asked for. */
async function says(stage: Stage, outcome: string, why: RegExp): Promise<void> {
  const { azure, facts, platform } = stage;
  const file = `${facts.status?.containerUrl}/${platform.vmId.split("/").at(-1)}.json`;
  await until(async () => {
    const { update } = JSON.parse((await readBlob(azure, file)).toString("utf8")) as MachineStatus;
    if (update?.outcome === outcome && why.test(update.why)) return true;
    throw new Error(`the machine says ${JSON.stringify(update)}, not ${outcome} ${why}`);
  }, SAID_MS);
}

interface UserData {
  readonly system: Release;
}

/** What the machine is asked for, as Azure has it. */
function askedFor({ azure, platform }: Stage): UserData {
  const { userData } = azure.cloud.get(platform.vmId)?.properties ?? {};
  return JSON.parse(Buffer.from(String(userData), "base64").toString("utf8"));
}

/** `up` of another page, whose machine does not get through to the container of systems. */
async function heldUp(stage: Stage): Promise<{ page: string; letGo(): void; log: Promise<string> }> {
  const { azure, engine, platform } = stage;
  const page = nextPage();
  write(stage, pageFile, page);
  const effect: FaultEffect = { kind: "reset" };
  const fault = azure.faults.add({ host: /\.blob\./, path: "/systems/", via: platform.vmId, effect });
  const log = engine.up().then(
    () => "",
    (error: RunFailed) => error.run?.log ?? error.message,
  );
  try {
    await says(stage, "waiting", /\/systems cannot be reached$/);
    await servesPage(stage, firstPage());
  } catch (error) {
    fault.remove();
    throw error;
  }
  return { page, letGo: () => fault.remove(), log };
}

export const unreachableContainer: Story = {
  name: "a container that the machine cannot reach: it says so and serves what it has; then it is there, and up ends well",
  isLong: true,
  tell: withBack(async (stage) => {
    const { letGo, log, page } = await heldUp(stage);
    letGo();
    const said = await log;
    if (said !== "") throw new Error(`up says: ${said.slice(-1500)}`);
    await servesPage(stage, page);
  }),
};

interface Damage {
  readonly what: string;
  /** What is wrong, in the machine's words. */
  readonly why: RegExp;
  /** The blob of a system's own store path that is damaged. */
  readonly blob: (narInfo: string, release: Release) => string;
  /** What is there then; undefined: nothing. */
  readonly damaged: (content: Buffer) => Buffer | undefined;
}

const infoOf = (_: string, { path }: Release) => narInfoName(path);
const archiveOf = (narInfo: string) => /^URL: (.*)$/m.exec(narInfo)?.[1] ?? "";
const stranger = () => readSigningKey(newSigningKey("sealed-onion-rehearsal"));

const damages: readonly Damage[] = [
  {
    what: "a store path that another key has signed",
    why: /^a path of it is not signed by sealed-onion-rehearsal$/,
    blob: infoOf,
    damaged: (info) => Buffer.from(info.toString("utf8").replace(/^Sig: .*$/m, `Sig: ${stranger().sign("1;")}`)),
  },
  {
    what: "a store path that the container lacks",
    why: /\/systems has no [0-9a-z]{32}\.narinfo$/,
    blob: infoOf,
    damaged: () => undefined,
  },
  {
    what: "an archive that is cut",
    why: /^nar\/\S+ in \S+ is cut or damaged$/,
    blob: archiveOf,
    damaged: (archive) => archive.subarray(0, archive.length / 2),
  },
];

/** The workstation has uploaded a system; before the machine gets it, somebody who may write there has damaged it. */
function damagedContainer({ blob, damaged, what, why }: Damage): Story {
  return {
    name: `${what}: refused, up says why and the page before is served; once it is whole, the update is made`,
    isLong: true,
    tell: withBack(async (stage) => {
      const { azure, facts } = stage;
      const { letGo, log, page } = await heldUp(stage);
      const { system } = askedFor(stage);
      const container = facts.update?.containerUrl ?? "";
      const info = (await readBlob(azure, `${container}/${narInfoName(system.path)}`)).toString("utf8");
      const place = `${container}/${blob(info, system)}`;
      const whole = await readBlob(azure, place);
      const content = damaged(whole);
      await (content === undefined ? removeBlob(azure, place) : writeBlob(azure, place, content));
      letGo();
      const said = await log;
      if (!said.includes(`refuses system ${system.generation}: `)) throw new Error(`up says: ${said.slice(-1500)}`);
      await says(stage, "refused", why);
      await servesPage(stage, firstPage());
      await writeBlob(azure, place, whole);
      await stage.engine.up();
      await servesPage(stage, page);
    }),
  };
}

export const damagedContainers: readonly Story[] = damages.map(damagedContainer);

export const foreignWish: Story = {
  name: "a wish that another key has signed, in user data: refused, and the page before is served",
  isLong: true,
  async tell(stage) {
    const asked = askedFor(stage);
    const { path, generation } = asked.system;
    const system = signRelease("rehearsal", { path, generation: generation + 1 }, stranger());
    const restore = putUserData(stage, Buffer.from(JSON.stringify({ ...asked, system })).toString("base64"));
    try {
      await says(stage, "refused", /^it is not signed by sealed-onion-rehearsal$/);
      await servesPage(stage, firstPage());
    } finally {
      restore();
    }
    await says(stage, "running", /^$/);
  },
};
