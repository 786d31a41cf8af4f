import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ListedBlob, oldImages, usedBefore } from "../../../../components/image/prune/old-images";
import { type BlobStore, startBlobStore } from "../upload/blob-store";
import { runCommand } from "../upload/run-command";

const digest = (index: number): string => `${index}`.padStart(32, "0");
const image = (index: number, stack = "dev"): string => `${stack}-${digest(index)}.vhd`;

describe("oldImages", () => {
  const now = new Date("2026-01-31T00:00:00Z");
  const blob = (index: number, change: Partial<ListedBlob> = {}): ListedBlob => ({
    name: image(index),
    etag: `${index}`,
    isComplete: true,
    isLeased: false,
    lastModified: new Date(Date.UTC(2026, 0, index)),
    ...change,
  });
  const namesOf = (blobs: ListedBlob[], keep: number, used: string[] = []): string[] =>
    oldImages(blobs, { stack: "dev", current: image(5), keep, used }, now).map(({ name }) => name);

  it("gives all but the current image and the newest of the others", () => {
    expect(
      namesOf(
        [1, 9, 3, 5, 7].map((index) => blob(index)),
        2,
      ),
    ).toEqual([image(3), image(1)]);
    expect(
      namesOf(
        [1, 5].map((index) => blob(index)),
        0,
      ),
    ).toEqual([image(1)]);
  });

  it("keeps what was in use last, however old it is: after a rollback, the image that has worked", () => {
    const blobs = [1, 2, 3, 4, 5].map((index) => blob(index));
    expect(namesOf(blobs, 2, [image(2), image(4), image(3)])).toEqual([image(3), image(1)]);
    expect(namesOf(blobs, 2, [image(2)])).toEqual([image(3), image(1)]);
  });

  it("leaves what is leased, what another stack made, and what is no image", () => {
    const others = [
      blob(1, { isLeased: true }),
      blob(2, { name: image(2, "dev-eu") }),
      blob(3, { name: "dev-notes.vhd" }),
      blob(4, { name: image(4, "de") }),
    ];
    expect(namesOf(others, 0)).toEqual([]);
  });

  it("gives uploads that were given up a day ago, and not those that may go on", () => {
    const recent = new Date(now.getTime() - 3600_000);
    expect(namesOf([blob(1, { isComplete: false }), blob(2, { isComplete: false, lastModified: recent })], 3)).toEqual([
      image(1),
    ]);
  });
});

describe("what was in use before", () => {
  it.each([
    ["nothing", undefined, []],
    ["what a former version printed", '{"removed":[]}', []],
    ["no JSON", "removed 1", []],
    ["names", '{"removed":[],"used":["a.vhd",7]}', ["a.vhd"]],
  ])("%s", (_, output, expected) => {
    expect(usedBefore(output)).toEqual(expected);
  });
});

describe("prune-images", () => {
  let store: BlobStore;
  let folder: string;
  beforeAll(async () => {
    store = await startBlobStore();
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "prune-"));
  });
  afterAll(async () => {
    fs.rmSync(folder, { recursive: true });
    await store.close();
  });
  const make = async (name: string): Promise<void> => {
    await store.container.getPageBlobClient(name).create(512, { metadata: { complete: "true" } });
  };
  const prune = (environment: NodeJS.ProcessEnv = {}) =>
    runCommand("prune-images", folder, {
      ...store.environment(),
      CONTAINER_URL: store.containerUrl,
      STACK: "dev",
      CURRENT: image(1),
      KEEP: "1",
      ...environment,
    });
  const left = async (): Promise<string[]> => {
    const names: string[] = [];
    for await (const { name } of store.container.listBlobsFlat()) names.push(name);
    return names;
  };

  it("removes old images of this stack alone, and prints which", async () => {
    for (const name of [image(1), image(2), image(3), image(4), image(2, "dev-eu"), "dev-notes.vhd"]) {
      await make(name);
      await new Promise((resolve) => setTimeout(resolve, 1100)); // Azure keeps times in whole seconds
    }
    const lease = store.container.getBlobClient(image(2)).getBlobLeaseClient();
    await lease.acquireLease(-1);
    const { code, stderr, stdout } = await prune();
    expect({ code, stderr }).toEqual({ code: 0, stderr: `removed 1 old images of dev: ${image(3)}\n` });
    expect(JSON.parse(stdout)).toEqual({ removed: [image(3)], used: [image(1)] });
    expect(await left()).toEqual([image(1), image(2), image(4), image(2, "dev-eu"), "dev-notes.vhd"].sort());
    await lease.releaseLease();
    expect(JSON.parse((await prune()).stdout)).toEqual({ removed: [image(2)], used: [image(1)] });
    expect(JSON.parse((await prune()).stdout)).toEqual({ removed: [], used: [image(1)] });
  });

  it("keeps the image of a rollback when a new one follows it", async () => {
    const [first, second, third, fourth] = [image(1, "team"), image(2, "team"), image(3, "team"), image(4, "team")];
    let printed: string | undefined;
    const deploy = async (current: string): Promise<void> => {
      if (!(await store.container.getBlobClient(current).exists())) await make(current);
      const environment = { STACK: "team", CURRENT: current, ...(printed ? { PULUMI_COMMAND_STDOUT: printed } : {}) };
      printed = (await prune(environment)).stdout;
    };
    for (const current of [first, second, first, third]) await deploy(current);
    expect(JSON.parse(printed ?? "")).toEqual({ removed: [second], used: [third, first] });
    await deploy(fourth);
    expect(JSON.parse(printed ?? "")).toEqual({ removed: [first], used: [fourth, third] });
  });

  it("refuses a wrong call", async () => {
    const { code, stderr } = await prune({ KEEP: "-1" });
    expect({ code, stderr }).toEqual({ code: 2, stderr: 'prune: KEEP must be a whole number, got "-1"\n' });
  });
});
