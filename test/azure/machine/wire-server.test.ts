import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ask, type Reply, via } from "../client";
import { type Rig, startRig } from "../fixture";
import type { Machine } from "./machine";

let rig: Rig;
let web: Machine;
let now = Date.now();

beforeAll(async () => {
  rig = await startRig({ now: () => now, provisioningTimeoutMs: 60_000 });
});
afterAll(() => rig.close());
beforeEach(async () => {
  web = await rig.azure.bootMachine(rig.ids.machine);
});

function wire(path: string, body?: string, version = "2012-11-30"): Promise<Reply> {
  const headers = { "x-ms-version": version, "content-type": "text/xml; charset=utf-8" };
  return ask(
    via(web.env),
    `http://168.63.129.16${path}`,
    body === undefined ? { headers } : { method: "POST", headers, body },
  );
}

function text(document: string, name: string): string {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(document)?.[1] ?? "";
}

async function report(state: string, more = "", change = (xml: string) => xml): Promise<number> {
  const goal = (await wire("/machine/?comp=goalstate")).text;
  const [incarnation, container, instance] = ["Incarnation", "ContainerId", "InstanceId"].map((name) =>
    text(goal, name),
  );
  const xml =
    `<?xml version="1.0" encoding="utf-8"?><Health><GoalStateIncarnation>${incarnation}</GoalStateIncarnation><Container>` +
    `<ContainerId>${container}</ContainerId><RoleInstanceList><Role><InstanceId>${instance}</InstanceId><Health>` +
    `<State>${state}</State>${more}</Health></Role></RoleInstanceList></Container></Health>`;
  return (await wire("/machine/?comp=health", change(xml))).status;
}

const FAILED =
  "<Details><SubStatus>ProvisioningFailed</SubStatus><Description>secrets did not open</Description></Details>";

describe("protocol", () => {
  it("lists the versions that agents ask for, without a version header", async () => {
    const reply = await ask(via(web.env), "http://168.63.129.16/?comp=versions");
    expect(reply.text).toContain("<Version>2012-11-30</Version>");
  });

  it("gives each machine ids of its own, the same at each boot", async () => {
    const first = (await wire("/machine/?comp=goalstate")).text;
    web = await rig.azure.bootMachine(rig.ids.machine);
    expect((await wire("/machine/?comp=goalstate")).text).toBe(first);
    expect(text(first, "InstanceId")).toMatch(/^[0-9a-f]{32}\._web$/);
  });

  it("serves the shared configuration that the goal state names", async () => {
    const goal = (await wire("/machine/?comp=goalstate")).text;
    const url = new URL(text(goal, "SharedConfig").replaceAll("&amp;", "&"));
    expect((await wire(url.pathname + url.search)).text).toContain(`instance="${text(goal, "InstanceId")}"`);
  });

  it.each([
    ["a version nobody knows", () => wire("/machine/?comp=goalstate", undefined, "1999-01-01"), 400],
    ["a component nobody knows", () => wire("/machine/?comp=other"), 404],
    ["a report of no known state", () => report("Perhaps"), 400],
    [
      "a report of an older goal state",
      () => report("Ready", "", (xml) => xml.replace("Incarnation>1<", "Incarnation>0<")),
      410,
    ],
    ["a report of another machine", () => report("Ready", "", (xml) => xml.replace("_web<", "_db<")), 410],
  ])("refuses %s", async (_title, act, status) => {
    const answer = await act();
    expect(typeof answer === "number" ? answer : answer.status).toBe(status);
    expect(web.provisioning()).toEqual({ state: "Creating", reports: 0 });
  });
});

describe("provisioning", () => {
  it("succeeds with the first Ready, and stays so", async () => {
    now += 1000;
    expect(await report("Ready")).toBe(200);
    expect(web.provisioning()).toEqual({ state: "Succeeded", reports: 1, reportedAt: now });
    await report("NotReady", FAILED);
    now += 120_000;
    expect(web.provisioning()).toMatchObject({ state: "Succeeded", reports: 2 });
  });

  it("goes on while the machine only says that it is at work", async () => {
    await report(
      "NotReady",
      "<Details><SubStatus>Provisioning</SubStatus><Description>starting</Description></Details>",
    );
    expect(web.provisioning()).toMatchObject({ state: "Creating", reports: 1 });
  });

  it("fails with the machine's own words", async () => {
    await report("NotReady", FAILED);
    expect(web.provisioning()).toMatchObject({
      state: "Failed",
      code: "OSProvisioningClientError",
      detail: "secrets did not open",
    });
  });

  it("fails after the time-out, and a late Ready changes nothing", async () => {
    now += 60_000;
    expect(web.provisioning().state).toBe("Creating");
    now += 1;
    expect(web.provisioning()).toEqual({
      state: "Failed",
      code: "OSProvisioningTimedOut",
      detail: "no Ready report within 60 s",
      reports: 0,
    });
    await report("Ready");
    expect(web.provisioning()).toMatchObject({ state: "Failed", code: "OSProvisioningTimedOut", reports: 1 });
  });
});
