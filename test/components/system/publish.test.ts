import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ContainerClient } from "@azure/storage-blob";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createAttempt } from "../../../components/image/upload/retry";
import { closureOf } from "../../../components/system/publish/closure";
import { prune } from "../../../components/system/publish/prune";
import { type Known, publish } from "../../../components/system/publish/publish";
import { parseRelease, type Release } from "../../../components/system/publish/release";
import { openSystemStore } from "../../../components/system/publish/system-store";
import { newSigningKey, readSigningKey } from "../../../components/system/signing-key/signing-key";
import { noScratchStore, openScratchStore, type ScratchStore, trivial } from "../../nix/scratch-store";
import { type BlobStore, startBlobStore } from "../image/upload/blob-store";

const page = (text: string) => trivial("page", `echo "${text}" > $out`);
const system = (text: string) =>
  trivial("system", 'busybox mkdir $out; echo "$page" > $out/page; echo "$kernel" > $out/kernel', {
    page: page(text),
    kernel: trivial("kernel", "busybox head -c 200000 /dev/urandom > $out"),
  });

describe.skipIf(noScratchStore)(`publishing a system (skipped: ${noScratchStore})`, () => {
  let key = readSigningKey(newSigningKey("sealed-onion-dev"));
  const environment = { ...process.env };
  const folder = process.cwd();
  let blobs: BlobStore;
  let container: ContainerClient;
  let store: ScratchStore;
  let count = 0;
  /** What Pulumi has recorded. */
  let before: Release | undefined;

  beforeAll(async () => {
    blobs = await startBlobStore();
  });
  afterAll(() => blobs.close());
  beforeEach(async () => {
    store = openScratchStore();
    Object.assign(process.env, store.env);
    count += 1;
    before = undefined;
    container = new ContainerClient(`${blobs.containerUrl.replace("images", `systems${count}`)}?${blobs.sas}`);
    await container.create();
    process.chdir(store.folder);
  });
  afterEach(() => {
    process.chdir(folder);
    process.env = { ...environment };
    store.remove();
  });

  const publishIt = async (path: string, known: Partial<Known> = {}) => {
    const { signal } = new AbortController();
    const tools = { store: openSystemStore(container, createAttempt({ signal, log: () => {} })), key, signal };
    const there = await tools.store.paths();
    const found = await publish({ stack: "dev", system: path }, { there, inImage: new Set(), before, ...known }, tools);
    before = found.release;
    return found;
  };
  const names = async () => {
    const found: string[] = [];
    for await (const { name } of container.listBlobsFlat()) found.push(name);
    return found;
  };
  /** What is in the container as a machine has it after its fetches. */
  const download = async () => {
    const cache = fs.mkdtempSync(path.join(os.tmpdir(), "cache-"));
    fs.mkdirSync(path.join(cache, "nar"));
    fs.writeFileSync(path.join(cache, "nix-cache-info"), "StoreDir: /nix/store\n");
    for (const name of (await names()).filter((blob) => !/^(releases|closures)\//.test(blob))) {
      await container.getBlobClient(name).downloadToFile(path.join(cache, name));
    }
    return cache;
  };
  const take = (cache: string, wanted: string, trusted: string) => {
    const machine = openScratchStore();
    const options = ["--option", "trusted-public-keys", trusted, "--option", "require-sigs", "true"];
    const env = { ...process.env, ...machine.env, XDG_CACHE_HOME: path.join(machine.folder, "cache") };
    const { status, stderr } = spawnSync("nix", ["copy", "--from", `file://${cache}`, ...options, wanted], {
      env,
      encoding: "utf8",
    });
    const result = { ok: status === 0, stderr, valid: machine.isValid(wanted) };
    machine.remove();
    return result;
  };

  it("gives a machine's own Nix what it takes, under the stack's key and no other", async () => {
    const wanted = store.build(system("one"));
    await publishIt(wanted);
    const cache = await download();
    expect(take(cache, wanted, key.publicKey)).toMatchObject({ ok: true, valid: true });
    const other = readSigningKey(newSigningKey("sealed-onion-dev")).publicKey;
    expect(take(cache, wanted, other)).toMatchObject({ ok: false, valid: false });
    const [nar = ""] = fs.readdirSync(path.join(cache, "nar"));
    fs.truncateSync(path.join(cache, "nar", nar), 60);
    expect(take(cache, wanted, key.publicKey)).toMatchObject({ ok: false, valid: false });
    fs.rmSync(cache, { recursive: true });
  });

  it("sends each path once: a changed page costs the page and the system that names it", async () => {
    expect(await publishIt(store.build(system("one")))).toMatchObject({ paths: 3, of: 3 });
    const second = await publishIt(store.build(system("two")));
    expect(second).toMatchObject({ paths: 2, of: 3, release: { generation: 2 } });
    expect(second.sent).toBeLessThan(1000);
  });

  it("sends nothing that the image has", async () => {
    const first = store.build(system("one"));
    const inImage = new Set((await closureOf(first)).map((stored) => stored.path));
    expect(await publishIt(first, { inImage })).toMatchObject({ paths: 0, sent: 0 });
    expect(await publishIt(store.build(system("two")), { inImage })).toMatchObject({ paths: 2 });
  });

  it("is the same release when it is asked for again, and a new one when an older system is", async () => {
    const [one, two] = [store.build(system("one")), store.build(system("two"))];
    const first = await publishIt(one);
    expect(await publishIt(one)).toMatchObject({ paths: 0, release: first.release });
    await publishIt(two);
    const back = await publishIt(one);
    expect(back).toMatchObject({ paths: 0, release: { path: one, generation: 3 } });
    expect(back.release.signature).not.toBe(first.release.signature);
  });

  it("sends all of it once more, under a new number, where it is made once more: what was damaged is whole", async () => {
    const wanted = store.build(system("one"));
    const { release } = await publishIt(wanted);
    for (const name of await names()) {
      const blob = container.getBlockBlobClient(name);
      if (name.startsWith("nar/")) await blob.upload("cut", 3);
      if (name.endsWith(".narinfo")) await blob.delete();
    }
    const again = await publishIt(wanted, { before: undefined });
    expect(again).toMatchObject({ paths: 3, of: 3, release: { path: wanted, generation: 2 } });
    const cache = await download();
    expect(take(cache, wanted, key.publicKey)).toMatchObject({ ok: true, valid: true });
    fs.rmSync(cache, { recursive: true });
    expect(release.generation).toBe(1);
  });

  it("counts nothing as there that another key has signed, also what a later system needs", async () => {
    const [one, two] = [store.build(system("one")), store.build(system("two"))];
    await publishIt(one);
    const old = key;
    key = readSigningKey(newSigningKey("sealed-onion-dev"));
    try {
      expect(await publishIt(two)).toMatchObject({ paths: 3, release: { generation: 2 } });
      expect(await publishIt(one)).toMatchObject({ paths: 2, release: { generation: 3 } });
      const cache = await download();
      expect(take(cache, one, key.publicKey)).toMatchObject({ ok: true, valid: true });
      fs.rmSync(cache, { recursive: true });
    } finally {
      key = old;
    }
  });

  it("never counts lower than it did, whatever happened to the container", async () => {
    const before = { path: "/nix/store/x", generation: 41, signature: "" };
    expect((await publishIt(store.build(system("one")), { before })).release.generation).toBe(42);
  });

  it("goes on where it was killed: what is there is not sent again, a path counts once its narinfo is there", async () => {
    const wanted = store.build(system("one"));
    await publishIt(wanted);
    const kernel = (await closureOf(wanted)).find(({ path: name }) => name.endsWith("-kernel"));
    const hash = kernel?.path.slice("/nix/store/".length, 43) ?? "";
    await container.deleteBlob(`${hash}.narinfo`);
    expect(await publishIt(wanted)).toMatchObject({ paths: 1, sent: 0 });
    expect(await names()).toContain(`${hash}.narinfo`);
  });

  describe("pruning", () => {
    const pruneIt = (systems: number) => {
      const { signal } = new AbortController();
      return prune(openSystemStore(container, createAttempt({ signal, log: () => {} })), systems);
    };
    const pages = ["one", "two", "three", "four"];

    it("leaves all that the last systems need, and nothing else; an older one is sent again", async () => {
      const built = pages.map((text) => store.build(system(text)));
      for (const path of built) await publishIt(path);
      expect(await pruneIt(2)).toBe(4); // page and system of the first two; the kernel is everybody's
      const left = await names();
      expect(left.filter((name) => name.endsWith(".narinfo"))).toHaveLength(5);
      expect(left.filter((name) => name.startsWith("nar/"))).toHaveLength(5);
      for (const path of built.slice(2)) {
        const cache = await download();
        expect(take(cache, path, key.publicKey)).toMatchObject({ ok: true, valid: true });
        fs.rmSync(cache, { recursive: true });
      }
      expect(await publishIt(built[0] ?? "")).toMatchObject({ paths: 2, release: { generation: 5 } });
    });

    it("deletes nothing while there are no older ones, or where it was not noted what one needs", async () => {
      for (const text of pages.slice(0, 2)) await publishIt(store.build(system(text)));
      expect(await pruneIt(2)).toBe(0);
      await publishIt(store.build(system("three")));
      await container.deleteBlob("closures/000000003");
      expect(await pruneIt(2)).toBe(0);
      expect((await names()).filter((name) => name.endsWith(".narinfo"))).toHaveLength(7);
    });

    it("goes on where it was killed: an archive without its narinfo goes", async () => {
      for (const text of pages) await publishIt(store.build(system(text)));
      await container.getBlockBlobClient("nar/left-over.nar.zst").upload("x", 1);
      await pruneIt(1);
      expect((await names()).filter((name) => name.startsWith("nar/"))).toHaveLength(3);
    });
  });

  it("two runs at once take two numbers", async () => {
    const [one, two] = [store.build(system("one")), store.build(system("two"))];
    const both = await Promise.all([publishIt(one), publishIt(two)]);
    expect(both.map(({ release }) => release.generation).sort()).toEqual([1, 2]);
  });

  it("refuses what the store has damaged", async () => {
    const wanted = store.build(page("one"));
    fs.chmodSync(store.real(wanted), 0o644);
    fs.writeFileSync(store.real(wanted), "another\n");
    await expect(publishIt(wanted)).rejects.toThrow("is damaged in this machine's store");
    expect(await names()).toEqual([]);
  });
});

describe("a signing key", () => {
  it("is of Nix's form, and two halves of two keys are none", () => {
    const [one, two] = [newSigningKey("a"), newSigningKey("a")].map((text) => text.toString());
    expect(one).toMatch(/^a:[A-Za-z0-9+/]{86}==$/);
    const halves = [one, two].map((text) => Buffer.from((text ?? "").slice(2), "base64"));
    const mixed = Buffer.concat([halves[0]?.subarray(0, 32) ?? one, halves[1]?.subarray(32) ?? two] as Buffer[]);
    expect(() => readSigningKey(Buffer.from(`a:${mixed.toString("base64")}`))).toThrow("another key");
    for (const text of ["", "a:", "nothing of the kind"]) {
      expect(() => readSigningKey(Buffer.from(text))).toThrow("no signing key");
    }
  });

  it.skipIf(noScratchStore)("has the public half that Nix itself finds in it", () => {
    const text = newSigningKey("sealed-onion-dev");
    const args = ["--extra-experimental-features", "nix-command", "key", "convert-secret-to-public"];
    const { stdout } = spawnSync("nix", args, { input: text, encoding: "utf8" });
    expect(stdout.trim()).toBe(readSigningKey(text).publicKey);
  });
});

it("what is no release is none", () => {
  for (const text of ["", "null", "{}", '{"path":1,"generation":1,"signature":""}', '{"path":"/a"}']) {
    expect(text && parseRelease(text)).toBeFalsy();
  }
});
