import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type BlobStore, download, startBlobStore } from "./upload/blob-store";
import { type FaultProxy, startFaultProxy } from "./upload/fault-proxy";
import { type CommandResult, type RunningCommand, runCommand, startCommand, until } from "./upload/run-command";
import { MIB, type TestDisk, vhd } from "./upload/test-disks";

const disk: TestDisk = {
  mebibytes: 64,
  runs: Array.from({ length: 20 }, (_, index) => [(3 + index * 3) * MIB + index * 512, MIB] as const),
};
const DATA = 20 * MIB;

let store: BlobStore;
let proxy: FaultProxy;
let folder: string;
let content: Buffer;
let name = "";
let blobs = 0;

beforeAll(async () => {
  store = await startBlobStore();
  proxy = await startFaultProxy(store.port);
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "upload-interrupted-"));
  content = vhd(disk);
  fs.writeFileSync(path.join(folder, "disk.vhd"), content);
});
afterAll(async () => {
  await proxy.close();
  await store.close();
  fs.rmSync(folder, { recursive: true });
});
beforeEach(() => {
  blobs += 1;
  name = `dev-${blobs}.vhd`;
  proxy.setFault(() => undefined);
});

const blob = () => store.container.getPageBlobClient(name);
const environment = (file = "disk.vhd"): NodeJS.ProcessEnv => ({
  ...store.environment(),
  VHD: file,
  BLOB_URL: `${store.containerUrl.replace(`:${store.port}/`, `:${proxy.port}/`)}/${name}`,
  DIGEST: "d1",
  GENERATION: "2",
});
const upload = (): Promise<CommandResult> => runCommand("upload-image", folder, environment());

/** Starts an upload and acts on it when so many writes have reached the store. */
async function uploadUntil(writes: number, act: (upload: RunningCommand) => void): Promise<CommandResult> {
  let seen = 0;
  const reached = new Promise<void>((resolve) => {
    proxy.setFault(({ comp }) => {
      if (comp === "page") seen += 1;
      if (seen >= writes) resolve();
      return comp === "page" ? { kind: "delay", ms: 10 } : undefined;
    });
  });
  const running = startCommand("upload-image", folder, environment());
  await Promise.race([reached, running.ended]);
  act(running);
  return running.ended;
}

describe("an upload that is killed", () => {
  it.each([1, 2, 5, 9, 14, 19])("after %i writes goes on, and the blob equals the disk", async (writes) => {
    const { signal } = await uploadUntil(writes, ({ child }) => child.kill("SIGKILL"));
    expect(signal).toBe("SIGKILL");
    expect((await blob().getProperties()).metadata?.complete).toBe("false");
    proxy.setFault(() => undefined);
    const before = store.storedBytes();
    const { code, stderr } = await upload();
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("uploaded") });
    expect((await download(blob())).equals(content)).toBe(true);
    const inFlight = 8 * MIB; // what was on its way at the kill may be sent again
    expect(store.storedBytes() - before).toBeLessThan(1.02 * (DATA - writes * MIB) + inFlight);
  });

  it("several times is complete in the end", async () => {
    for (const writes of [3, 3, 3]) await uploadUntil(writes, ({ child }) => child.kill("SIGKILL"));
    proxy.setFault(() => undefined);
    expect((await upload()).code).toBe(0);
    expect((await download(blob())).equals(content)).toBe(true);
  });

  it("leaves a lease that a new upload on this machine takes over at once", async () => {
    await uploadUntil(4, ({ child }) => child.kill("SIGKILL"));
    expect((await blob().getProperties()).leaseState).toBe("leased");
    proxy.setFault(() => undefined);
    const { stderr } = await upload();
    expect(stderr).not.toContain("another upload holds");
    expect(stderr).toContain("going on with an upload");
  });

  it("leaves a lease that ends within a minute for other machines", async () => {
    await uploadUntil(4, ({ child }) => child.kill("SIGKILL"));
    proxy.setFault(() => undefined);
    fs.rmSync(path.join(folder, ".cache", "uploads"), { recursive: true }); // as on another machine
    const { code, stderr } = await upload();
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining(`another upload holds 'images/${name}', waiting`),
    });
    expect((await download(blob())).equals(content)).toBe(true);
  });
});

describe("an upload that is interrupted politely", () => {
  it.each(["SIGINT", "SIGTERM"] as const)("by %s gives its lease free and says that it can go on", async (signal) => {
    const { code, stderr } = await uploadUntil(4, ({ child }) => child.kill(signal));
    expect({ code, stderr }).toEqual({
      code: signal === "SIGINT" ? 130 : 143,
      stderr: expect.stringContaining("run it again, it goes on"),
    });
    expect((await blob().getProperties()).leaseState).toBe("available");
  });

  it("by the end of its parent, as when pulumi is killed, ends as well", async () => {
    proxy.setFault(({ comp }) => (comp === "page" ? { kind: "delay", ms: 200 } : undefined));
    const parent = startCommand("../test/commands/upload/run-and-wait", folder, {
      ...environment(),
      PROGRAM: "upload-image",
    });
    await until("the blob", () => blob().exists());
    parent.child.kill("SIGKILL");
    await until("the lease is free", async () => (await blob().getProperties()).leaseState === "available", 20_000);
    expect((await blob().getProperties()).metadata?.complete).toBe("false");
  });
});

describe("two uploads at once", () => {
  it("of the same disk: one waits, both end well", async () => {
    proxy.setFault(({ comp }) => (comp === "page" ? { kind: "delay", ms: 20 } : undefined));
    const before = store.storedBytes();
    const results = await Promise.all([upload(), upload()]);
    expect(results.map(({ code }) => code)).toEqual([0, 0]);
    expect((await download(blob())).equals(content)).toBe(true);
    expect(store.storedBytes() - before).toBeLessThan(1.05 * DATA);
  });

  it("of different disks under one name: never a mix, and only one of them ends well", async () => {
    const other = vhd({ ...disk, seed: "other" });
    fs.writeFileSync(path.join(folder, "other.vhd"), other);
    proxy.setFault(({ comp }) => (comp === "page" ? { kind: "delay", ms: 20 } : undefined));
    const results = await Promise.all([upload(), runCommand("upload-image", folder, environment("other.vhd"))]);
    expect(results.map(({ code }) => code).sort()).toEqual([0, 1]);
    const stored = await download(blob());
    expect(stored.equals(results[0]?.code === 0 ? content : other)).toBe(true);
    expect(results.find(({ code }) => code === 1)?.stderr).toContain("holds another content");
  });
});
