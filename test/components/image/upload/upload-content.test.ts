import * as fs from "node:fs";
import * as path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fileDigest } from "../../../../components/image/disk/file-digest";
import { download } from "./blob-store";
import { MIB, noise, vhd } from "./test-disks";
import { startUploadRig, type UploadRig } from "./upload-rig";

let rig: UploadRig;

beforeAll(async () => {
  rig = await startUploadRig("content", {
    mebibytes: 24,
    runs: [
      [2 * MIB, MIB],
      [9 * MIB, 2 * MIB],
      [20 * MIB, MIB],
    ],
  });
});
afterAll(() => rig.close());
beforeEach(() => rig.next());

const own = (): string => path.join(rig.folder, "disk.vhd");
const digestOf = (file: string): string => fileDigest(file, path.join(rig.folder, "digests.json"));

describe("a disk that is written to", () => {
  const writeTo = (file: string, seed: string): void => {
    const descriptor = fs.openSync(file, "r+");
    fs.writeSync(descriptor, noise(seed, 512), 0, 512, 3 * MIB);
    fs.closeSync(descriptor);
  };

  it("during its upload never becomes a complete blob; the next run sends what differs", async () => {
    const file = path.join(rig.folder, "growing.vhd");
    fs.copyFileSync(own(), file);
    rig.proxy.setFault(({ comp }) => void (comp === "page" && writeTo(file, "during")));
    await expect(rig.upload({ file })).rejects.toThrow(
      `'${file}' was written to while it was uploaded: let its writer finish and run pulumi up again`,
    );
    expect((await rig.stored().getProperties()).metadata?.complete).toBe("false");
    rig.proxy.setFault(() => undefined);
    await rig.upload({ file });
    expect((await download(rig.stored())).equals(fs.readFileSync(file))).toBe(true);
  });

  it("before its upload is not sent under the old one's name", async () => {
    const file = path.join(rig.folder, "renewed.vhd");
    fs.copyFileSync(own(), file);
    const digest = digestOf(file);
    writeTo(file, "before");
    await expect(rig.upload({ file, digest, isContentNamed: true })).rejects.toThrow(
      `'${file}' is not the disk that the image is named after: run pulumi up again`,
    );
    expect((await rig.stored().getProperties()).metadata?.complete).toBe("false");
    await rig.upload({ file, digest: digestOf(file), isContentNamed: true });
    expect((await rig.stored().getProperties()).metadata?.contenthash).toBe(digestOf(file));
  });
});

describe("a complete blob", () => {
  it("that somebody else writes to is not taken for what it was", async () => {
    await rig.upload();
    expect(await rig.upload()).toBeUndefined();
    const { metadata } = await rig.stored().getProperties();
    await rig.stored().setMetadata({ ...metadata, completedat: new Date(Date.now() - 60_000).toISOString() });
    await rig.stored().uploadPages(noise("other", 512), 10 * MIB, 512);
    await expect(rig.upload()).rejects.toThrow(
      new RegExp(
        `'images/${rig.name()}' was changed at \\S+, after its upload was complete \\(\\S+\\), by something else: type ` +
          "`az storage blob delete --auth-mode login --account-name \\w+ --container-name images --name " +
          `${rig.name()}\` and run pulumi up again`,
      ),
    );
  });

  it("is completed again where that took effect late, so that its time tells of later changes", async () => {
    rig.proxy.setFault(({ comp }) =>
      comp === "metadata" && delayed++ === 0 ? { kind: "delay", ms: 4_500 } : undefined,
    );
    let delayed = 0;
    await rig.upload();
    expect(delayed).toBe(2);
    expect(await rig.upload()).toBeUndefined();
  });
});

it("requests at once, more than Node expects of one signal, are no reason for a warning of its own", async () => {
  const file = path.join(rig.folder, "many.vhd");
  const runs = Array.from({ length: 200 }, (_, index) => [2 * MIB + index * 96 * 1024, 512] as const);
  fs.writeFileSync(file, vhd({ mebibytes: 24, runs }));
  const warnings: Error[] = [];
  const warn = (warning: Error) => void warnings.push(warning);
  process.on("warning", warn);
  rig.proxy.setFault(({ comp }) => (comp === "page" ? { kind: "delay", ms: 20 } : undefined));
  const result = await rig.upload({ file });
  process.off("warning", warn);
  expect(result?.requests).toBeGreaterThan(150);
  expect(warnings).toEqual([]);
});

it("a lease without an end is told at once, with what ends it", async () => {
  await rig.stored().create(rig.content.length);
  await rig.stored().getBlobLeaseClient().acquireLease(-1);
  await expect(rig.upload()).rejects.toThrow(
    `'images/${rig.name()}' is leased without an end, by a VM's disk or another tool: type \`az storage blob lease break ` +
      "--auth-mode login --account-name testaccount --container-name images --blob-name " +
      `${rig.name()}\``,
  );
});
