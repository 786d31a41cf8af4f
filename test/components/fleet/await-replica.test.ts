import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { FleetMachineStatus } from "../../../components/fleet/fleet-status";
import { type BlobStore, startBlobStore } from "../image/upload/blob-store";
import { startCommand, until } from "../image/upload/run-command";
import { exampleStatus, HOSTNAME } from "../vm/status/example-status";

const MACHINE = "sealed-onion-dev-replica-2-abc123";
const OWN = `${"b".repeat(56)}.onion`;

let store: BlobStore;
let folder: string;
beforeAll(async () => {
  store = await startBlobStore();
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "replica-"));
});
afterAll(async () => {
  fs.rmSync(folder, { recursive: true });
  await store.close();
});
beforeEach(async () => {
  for await (const { name } of store.container.listBlobsFlat()) await store.container.deleteBlob(name);
});

async function write(status: FleetMachineStatus): Promise<void> {
  const content = JSON.stringify(status);
  await store.container.getBlockBlobClient(`${status.machine}.json`).upload(content, Buffer.byteLength(content));
}

function replica(published: string): Promise<void> {
  const services = { site: { hostname: OWN, published, state: "own" as const } };
  return write({ ...exampleStatus({ machine: MACHINE, services }), replica: 2 });
}

function frontEnd(introductionPoints: number, fetched: string, uploading = false): Promise<void> {
  const backends = { [OWN]: { introductionPoints, fetched } };
  const balanced = { published: fetched, uploading, failedUploads: 0, backends };
  return write({
    ...exampleStatus({ machine: "sealed-onion-dev-front-end-1-abc123" }),
    frontEnd: { [HOSTNAME]: balanced },
  });
}

function start(PATIENCE = "60") {
  const own = { CONTAINER_URL: store.containerUrl, MACHINE, PATIENCE };
  const running = startCommand("await-replica", folder, { ...store.environment(), ...own });
  let said = "";
  running.child.stderr?.on("data", (text: string) => {
    said += text;
  });
  return { ...running, said: () => said };
}

describe("await-replica", () => {
  it("waits until a front end has published what the replica has published, and not what it had before", async () => {
    const { ended, said } = start();
    await until("silence is told", () => said().includes(`${MACHINE} has not said anything yet`));
    await replica("2026-06-01T12:00:00Z");
    await until("no front end is told", () => said().includes("waiting: no front end has said anything yet"));
    await frontEnd(2, "2026-06-01T11:59:00Z"); // the machine before, under the same address
    await until("an old look is told", () =>
      said().includes(`waiting: no front end has published its introduction points yet, ${OWN}`),
    );
    await frontEnd(0, "2026-06-01T12:01:00Z");
    await frontEnd(2, "2026-06-01T12:01:00Z", true);
    expect(said().match(/waiting/g)?.length).toBe(3);
    await frontEnd(2, "2026-06-01T12:02:00Z");
    const { code, stdout } = await ended;
    expect([code, JSON.parse(stdout)]).toEqual([0, { machine: MACHINE, replica: 2 }]);
  });

  it("waits for no front end with what a replica has for itself, as its ssh", async () => {
    const at = "2026-06-01T12:00:00Z";
    const site = { hostname: OWN, published: at, state: "own" as const };
    const shell = { hostname: `${"c".repeat(56)}.onion`, published: at, state: "own" as const, alone: true as const };
    await write({ ...exampleStatus({ machine: MACHINE, services: { shell, site } }), replica: 2 });
    await frontEnd(2, "2026-06-01T12:01:00Z");
    const { code, stderr } = await start("5").ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  it("fails with the reason where that does not happen in time: the other replicas stay", async () => {
    await replica("2026-06-01T12:00:00Z");
    await frontEnd(2, "2026-06-01T12:01:00Z", true);
    const { code, stdout, stderr } = await start("0.1").ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(
      `await-replica: ${MACHINE} takes no visits after 0 minutes: no front end has published its introduction points yet, ${OWN}: the other replicas stay; type npm run status\n`,
    );
  });

  it.each(["none", "-1", ""])("refuses a patience of %j", async (patience) => {
    const { code } = await start(patience).ended;
    expect(code).toBe(2);
  });
});
