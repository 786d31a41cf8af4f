import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findOnPath } from "../../../../components/process/find-program";
import { azCommand } from "../../az-command";
import { download, type SasTerms, startBlobStore } from "./blob-store";
import { runCommand } from "./run-command";
import { MIB, noise, type TestDisk, vhd } from "./test-disks";
import { startUploadRig, type UploadRig } from "./upload-rig";

const disk: TestDisk = { mebibytes: 4, runs: [[2 * MIB, 8192]] };
let rig: UploadRig;
beforeAll(async () => {
  rig = await startUploadRig("remedies", disk);
});
afterAll(() => rig.close());
beforeEach(() => {
  rig.next();
  fs.writeFileSync(own(), rig.content);
});

const own = () => path.join(rig.folder, "disk.vhd");
const write = (content: Buffer) => void fs.writeFileSync(own(), content);
const rebuild = async () => write(rig.content);
/** Types the command of the message. */
async function az(said: string): Promise<void> {
  const { verb, options } = azCommand(said);
  const { accountName, containerName, name } = rig.stored();
  const named = { "account-name": accountName, "container-name": containerName };
  if (verb === "storage blob delete") {
    expect(options).toMatchObject({ ...named, name });
    await rig.stored().delete();
  } else if (verb === "storage blob lease break") {
    expect(options).toMatchObject({ ...named, "blob-name": name });
    await rig.stored().getBlobLeaseClient().breakLease(0);
  } else throw new Error(`${verb}: not typed here`);
}
const refuse = (status: number, code: string) => async () =>
  rig.proxy.setFault(() => ({ kind: "answer", status, code }));
const letThrough = async () => rig.proxy.setFault(() => undefined);
const zstd = findOnPath("qemu-img") === undefined ? " (skipped: needs qemu-img on PATH)" : "";

/** Of `components/doctor/failures.md`: what goes wrong, what is read of it, and the remedy as the line says it. */
const rows: [row: string, breaks: () => Promise<unknown>, says: RegExp, remedy: (said: string) => Promise<unknown>][] =
  [
    [
      "… is complete and holds another content",
      async () => {
        write(vhd({ ...disk, seed: "other" }));
        await rig.upload({ digest: "d2" });
        write(rig.content);
      },
      /is complete and holds another content/,
      az,
    ],
    [
      "… was changed at …, after its upload was complete",
      async () => {
        await rig.upload();
        const { metadata } = await rig.stored().getProperties();
        await rig.stored().setMetadata({ ...metadata, completedat: new Date(Date.now() - 60_000).toISOString() });
        await rig.stored().uploadPages(noise("other", 512), MIB, 512);
      },
      /was changed at \S+, after its upload was complete .*az storage blob delete/,
      az,
    ],
    [
      "… is leased without an end",
      async () => {
        await rig.stored().create(rig.content.length);
        await rig.stored().getBlobLeaseClient().acquireLease(-1);
      },
      /is leased without an end, .*az storage blob lease break/,
      az,
    ],
    ["503 ServerBusy", refuse(503, "ServerBusy"), /ServerBusy/, letThrough],
    [
      "… has a damaged VHD footer",
      async () => {
        const content = Buffer.from(rig.content);
        content.writeUInt32BE(1, content.length - 512 + 64);
        write(content);
      },
      /has a damaged VHD footer/,
      rebuild,
    ],
    [
      "… is cut: its partition table needs …",
      async () => write(rig.content.subarray(0, 2 * MIB)),
      /is cut: its partition table needs \d+ bytes/,
      rebuild,
    ],
    [
      "… was written to while it was uploaded",
      async () => rig.proxy.setFault(({ comp }) => (comp === "page" ? touched() : undefined)),
      /was written to while it was uploaded: let its writer finish and run pulumi up again/,
      async () => {
        await letThrough();
        write(rig.content);
      },
    ],
    [
      "cannot read the disk …",
      async () => fs.rmSync(own()),
      /cannot read the disk '\S+disk.vhd': there is no such file: build or copy it/,
      rebuild,
    ],
    [
      "…, a generation 2 image boots by UEFI from an EFI system partition",
      async () => write(vhd({ ...disk, type: "linux" })),
      /a generation 2 image boots by UEFI from an EFI system partition: build it with/,
      rebuild,
    ],
  ];

function touched(): undefined {
  fs.writeFileSync(own(), vhd({ ...disk, seed: "meanwhile" }));
}

describe("what failures.md says about uploading", () => {
  it.each(rows)("%s: its remedy ends in a healthy stack", async (_, breaks, says, remedy) => {
    await breaks();
    const retries = { patienceMs: 300, tries: 3 };
    const said = await rig.upload({ retries }).then(
      () => "nothing is wrong",
      (error: Error) => error.message,
    );
    expect(said).toMatch(says);
    await remedy(said);
    await rig.upload();
    expect((await rig.stored().getProperties()).metadata?.complete).toBe("true");
    expect((await download(rig.stored())).equals(rig.content)).toBe(true);
  });

  it.each<[string, Partial<SasTerms>, RegExp]>([
    ["… the SAS has no right to it", { sp: "rl" }, /the SAS has no right to it: make one .* --permissions racwdl/],
    ["… the SAS ended at …", { endMs: -60_000 }, /': the SAS ended at 20\S+Z: make one /],
    [
      "… the SAS is not valid before …",
      { startMs: 3_600_000 },
      /': the SAS is not valid before \S+Z, here it is \S+Z: make one /,
    ],
  ])("%s: another SAS ends in a healthy stack", async (_, less, says) => {
    const store = await startBlobStore();
    const run = (sas: string) =>
      runCommand("upload-image", rig.folder, {
        ...store.environment(),
        SEALED_ONION_SAS: sas,
        BLOB_URL: `${store.containerUrl}/dev.vhd`,
        VHD: own(),
        DIGEST: "d1",
      });
    const refused = await run(store.sasWith(less));
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(says)]);
    expect(refused.stderr).not.toContain("sig=");
    const [, permissions = "racwdl"] = /--permissions (\w+)/.exec(refused.stderr) ?? [];
    const healthy = await run(` ${store.containerUrl}?${store.sasWith({ sp: permissions })}\n`);
    expect([healthy.code, healthy.stderr]).toEqual([0, expect.stringContaining("uploaded ")]);
    await store.close();
  });

  it.skipIf(zstd)(`…, which Azure cannot take: type …: its remedy ends in a healthy stack${zstd}`, async () => {
    const [folder, shown] = [rig.folder, path.join(rig.folder, "disk.qcow2")];
    execFileSync("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", own(), shown]);
    const refusal = await rig.upload({ file: shown }).then(
      () => "",
      (error: Error) => error.message,
    );
    const [, command = ""] = /type `([^`]+)`/.exec(refusal) ?? [];
    execFileSync("sh", ["-c", command], { cwd: folder });
    await rig.upload({ file: path.join(folder, "disk.raw") });
    expect((await rig.stored().getProperties()).metadata?.complete).toBe("true");
  });
});
