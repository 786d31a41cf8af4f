import * as fs from "node:fs";
import type { BlockBlobClient, ContainerClient } from "@azure/storage-blob";
import { readBlob } from "../../image/upload/read-blob";
import type { Attempt } from "../../image/upload/retry";
import type { StorageProblem } from "../../image/upload/storage-problem";
import { hashPart, narInfoName, narName, type PackedNar, type StorePath } from "./nar-info";
import { parseRelease, type Release } from "./release";

const NAR_INFO = ".narinfo";
const RELEASES = "releases/";

/** What each release needs: hash parts, one a line. */
const CLOSURES = "closures/";
const NARS = "nar/";

/** The container of a stack's systems: a Nix binary cache, and the numbered wishes. Nothing in it ever changes. */
export interface SystemStore {
  /** Hash parts of the store paths that are there. */
  paths(): Promise<Set<string>>;
  /** @param again in place of one that is there @returns bytes sent; none where the archive is there already */
  addNar(file: string, packed: PackedNar, again?: boolean): Promise<number>;
  /** Last of all: a path counts as there once it has this. */
  addNarInfo(stored: StorePath, text: string): Promise<void>;
  lastRelease(): Promise<Release | undefined>;
  /** False where another run has taken this number. */
  addRelease(release: Release): Promise<boolean>;
  /** Notes what a release needs: hash parts of its store paths. */
  addClosure(generation: number, hashes: readonly string[]): Promise<void>;
  /** What the newest releases need; undefined where that was not noted of one of them, or there are no more than these. */
  lastClosures(releases: number): Promise<string[][] | undefined>;
  removeNarInfo(hash: string): Promise<void>;
  /** The blob of a store path's archive. */
  narOf(hash: string): Promise<string>;
  removeNarsBut(kept: ReadonlySet<string>): Promise<void>;
}

export function openSystemStore(client: ContainerClient, attempt: Attempt): SystemStore {
  const name = (blob: string): string => `'${client.containerName}/${blob}'`;
  const names = (prefix: string) =>
    attempt(`list '${client.containerName}'`, async (abortSignal) => {
      const found: string[] = [];
      for await (const item of client.listBlobsFlat({ abortSignal, prefix })) found.push(item.name);
      return found;
    });
  const read = (blob: string) =>
    attempt(`read ${name(blob)}`, async (abortSignal) => {
      const content = await readBlob(client.getBlobClient(blob), abortSignal);
      return content.toString("utf8");
    });
  const create = (blob: string, work: (target: BlockBlobClient, signal: AbortSignal) => Promise<unknown>) =>
    attempt(`write ${name(blob)}`, async (abortSignal) => {
      try {
        await work(client.getBlockBlobClient(blob), abortSignal);
        return true;
      } catch (error) {
        if (isThere(error)) return false;
        throw error;
      }
    });
  const remove = (blob: string) =>
    attempt(`delete ${name(blob)}`, (abortSignal) => client.getBlobClient(blob).deleteIfExists({ abortSignal }));
  return {
    async addClosure(generation, hashes) {
      const text = `${[...hashes].sort().join("\n")}\n`;
      const conditions = { ifNoneMatch: "*" };
      await create(numbered(CLOSURES, generation), (target, abortSignal) =>
        target.upload(text, Buffer.byteLength(text), { abortSignal, conditions }),
      );
    },
    async lastClosures(releases) {
      const all = (await names(RELEASES)).sort();
      if (all.length <= releases) return undefined;
      const noted = new Set(await names(CLOSURES));
      const wanted = all.slice(-releases).map((release) => release.replace(RELEASES, CLOSURES));
      if (!wanted.every((closure) => noted.has(closure))) return undefined;
      return Promise.all(wanted.map(async (closure) => (await read(closure)).trim().split("\n")));
    },
    async removeNarInfo(hash) {
      await remove(`${hash}${NAR_INFO}`);
    },
    async narOf(hash) {
      const [, url = ""] = /^URL: (.*)$/m.exec(await read(`${hash}${NAR_INFO}`)) ?? [];
      return url;
    },
    async removeNarsBut(kept) {
      for (const nar of await names(NARS)) if (!kept.has(nar)) await remove(nar);
    },
    async paths() {
      const all = await names("");
      return new Set(all.filter((blob) => blob.endsWith(NAR_INFO)).map((blob) => blob.slice(0, -NAR_INFO.length)));
    },
    async addNar(file, packed, again = false) {
      const conditions = again ? {} : { ifNoneMatch: "*" };
      const isNew = await create(narName(packed), async (target, abortSignal) => {
        await target.uploadFile(file, { abortSignal, conditions });
      });
      return isNew ? fs.statSync(file).size : 0;
    },
    async addNarInfo(stored, text) {
      const blob = narInfoName(stored.path);
      await create(blob, (target, abortSignal) => target.upload(text, Buffer.byteLength(text), { abortSignal }));
      if ((await read(blob)) !== text) throw new Error(`${name(blob)} is not what was written: run pulumi up again`);
    },
    async lastRelease() {
      const last = (await names(RELEASES)).sort().at(-1);
      if (last === undefined) return undefined;
      const release = parseRelease(await read(last));
      if (release === undefined || releaseName(release.generation) !== last) {
        throw new Error(`${name(last)} is no release: somebody else wrote it, delete it and run pulumi up again`);
      }
      return release;
    },
    async addRelease(release) {
      const text = `${JSON.stringify(release)}\n`;
      const conditions = { ifNoneMatch: "*" };
      return create(releaseName(release.generation), (target, abortSignal) =>
        target.upload(text, Buffer.byteLength(text), { abortSignal, conditions }),
      );
    },
  };
}

/** What is to be sent of a closure. */
export function missingPaths(
  closure: readonly StorePath[],
  there: ReadonlySet<string>,
  inImage: ReadonlySet<string>,
): StorePath[] {
  return closure.filter(({ path }) => !there.has(hashPart(path)) && !inImage.has(path));
}

function releaseName(generation: number): string {
  return numbered(RELEASES, generation);
}

function numbered(prefix: string, generation: number): string {
  return `${prefix}${String(generation).padStart(9, "0")}`;
}

function isThere(error: unknown): boolean {
  const { code } = error as Partial<StorageProblem>;
  return code === "BlobAlreadyExists" || code === "ConditionNotMet";
}
