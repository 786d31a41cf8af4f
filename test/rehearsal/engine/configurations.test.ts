import { afterEach, describe, expect, it } from "vitest";
import { Cleanup } from "../cleanup";
import { speakForMachines } from "../fleet/speaking-machines";
import { CONFIGURATIONS, type ConfigurationName, configurationOfPage, makeHub } from "../page-configurations";
import { DISK_BUILDER } from "../scenario";
import { changesOf } from "./engine";
import { makeInAzure, registerFeature } from "./make-in-azure";
import { openStage } from "./open-stage";
import type { Stage } from "./stage";
import { searchState } from "./story-tools";
import { skippedFor } from "./tools";

/** What each of the page's configurations runs; one machine by itself is `machine`. */
const RUNS: Readonly<Record<ConfigurationName, readonly string[]>> = {
  smallest: ["machine"],
  company: ["machine"],
  fleet: ["front-end-1", "front-end-2", "replica-1", "replica-2", "replica-3"],
};

const cleanup = new Cleanup();
afterEach(() => cleanup.run(), 60_000);

/** The page's configuration as the stack's, but for its image: no Nix builds one here. */
async function configureAs(name: ConfigurationName, { azure, engine }: Stage, but: object = {}): Promise<void> {
  const { cloud, workstation } = azure;
  const sealer = `servicePrincipal:${workstation.principal.objectId}`;
  const config = configurationOfPage(name, { cloud, sealer });
  const image = JSON.parse(config["sealed-onion:image"] ?? "{}") as object;
  const built = { "sealed-onion:image": JSON.stringify({ ...image, builder: DISK_BUILDER }) };
  await engine.setConfig({ ...config, ...built, ...but });
}

/** The company has its hub, and its runner is in the hub's network. */
async function companyHas(stage: Stage): Promise<void> {
  const { cloud } = stage.azure;
  const make = (token: string, inputs: Record<string, unknown>) => makeInAzure(stage, token, inputs);
  cloud.workstation.subnetId = await makeHub({ make, register: (feature) => registerFeature(stage, feature) });
}

const skipped = skippedFor("sops", "pulumi");
describe.skipIf(skipped)(`the page's whole configurations, under Pulumi's own engine${skipped}`, () => {
  it.each(CONFIGURATIONS)(
    "%s: what is planned is done, every machine serves, a second update changes nothing, and all of it goes again",
    async (name) => {
      const stage = await openStage(cleanup, process.cwd(), "pulumi");
      const { azure, engine, folder, stack } = stage;
      if (name === "company") await companyHas(stage);
      const before = azure.cloud.list({}).map(({ id }) => id);
      await configureAs(name, stage);
      const speaking = speakForMachines(azure, folder, stack);
      cleanup.add(() => speaking.close());

      const planned = changesOf(await engine.preview());
      const up = await engine.up();
      expect(changesOf(up)).toEqual(planned);
      await speaking.caughtUp();
      const said = (word: string) => speaking.log.filter((event) => event.startsWith(`${word} `));
      expect(said("published").sort()).toEqual(RUNS[name].map((role) => `published ${role}`));
      expect(said("-")).toEqual([]);
      expect(String((await engine.outputs()).onionHostname)).toMatch(/^[a-z2-7]{56}\.onion$/);
      const again = await engine.up();
      expect(changesOf(again)).toEqual([]);
      await searchState(stage, [up, again]);

      await configureAs(name, stage, { "sealed-onion:production": "false" }); // which protects what there is
      await engine.up();
      await engine.destroy();
      const left = azure.cloud.list({}).filter(({ id }) => !before.includes(id));
      expect(left.map(({ type }) => type)).toEqual([]);
    },
    600_000,
  );
});
