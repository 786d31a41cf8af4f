import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findOnPath } from "../../../../components/process/find-program";
import { download } from "./blob-store";
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
/** What `az storage blob delete` of the message does. */
const deleteBlob = async () => void (await rig.stored().delete());
const refuse = (status: number, code: string) => async () =>
  rig.proxy.setFault(() => ({ kind: "answer", status, code }));
const letThrough = async () => rig.proxy.setFault(() => undefined);
const zstd = findOnPath("qemu-img") === undefined ? " (skipped: needs qemu-img on PATH)" : "";

/** Of `components/doctor/failures.md`: what goes wrong, what is read of it, and the remedy as the line says it. */
const rows: [row: string, breaks: () => Promise<unknown>, says: RegExp, remedy: () => Promise<unknown>][] = [
  [
    "… is complete and holds another content",
    async () => {
      write(vhd({ ...disk, seed: "other" }));
      await rig.upload({ digest: "d2" });
      write(rig.content);
    },
    /is complete and holds another content/,
    deleteBlob,
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
    deleteBlob,
  ],
  [
    "… is leased without an end",
    async () => {
      await rig.stored().create(rig.content.length);
      await rig.stored().getBlobLeaseClient().acquireLease(-1);
    },
    /is leased without an end, .*az storage blob lease break/,
    async () => rig.stored().getBlobLeaseClient().breakLease(0),
  ],
  [
    "… the storage account's firewall refuses this machine's address",
    refuse(403, "AuthorizationFailure"),
    /AuthorizationFailure|firewall refuses/,
    letThrough,
  ],
  ["… the container is not there", refuse(404, "ContainerNotFound"), /the container is not there/, letThrough],
  [
    "… the SAS has no right to it",
    refuse(403, "AuthorizationPermissionMismatch"),
    /AuthorizationPermissionMismatch|the SAS has no right to it/,
    letThrough,
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
    await expect(rig.upload({ retries })).rejects.toThrow(says);
    await remedy();
    await rig.upload();
    expect((await rig.stored().getProperties()).metadata?.complete).toBe("true");
    expect((await download(rig.stored())).equals(rig.content)).toBe(true);
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
