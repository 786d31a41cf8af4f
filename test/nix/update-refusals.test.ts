import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { signRelease } from "../../components/system/publish/release";
import { newSigningKey, readSigningKey } from "../../components/system/signing-key/signing-key";
import { noScratchStore } from "./scratch-store";
import { SYSTEMS, startUpdateRig, type UpdateRig } from "./update-rig";

// One machine for all: what is refused leaves it as it was.
describe.skipIf(noScratchStore)(`systems that a machine does not take (skipped: ${noScratchStore})`, () => {
  let it_: UpdateRig;
  beforeAll(async () => {
    it_ = await startUpdateRig({ page: "first" });
    expect(await it_.update({ page: "good" })).toMatchObject({ code: 0 });
  });
  // What was refused once is looked at again after the next boot only.
  beforeEach(() => it_.reboot());
  afterAll(() => it_.close());

  const outcome = () => it_.outcome();

  it.each([
    ["another key's signature", (_: UpdateRig, path: string) => signRelease("dev", { path, generation: 9 }, other())],
    ["another stack's wish", (r: UpdateRig, path: string) => signRelease("prod", { path, generation: 9 }, r.key)],
    ["no signature", (_: UpdateRig, path: string) => ({ path, generation: 9, signature: "" })],
    [
      "a raised number",
      (r: UpdateRig, path: string) => ({ ...signRelease("dev", { path, generation: 8 }, r.key), generation: 9 }),
    ],
    [
      "another path",
      (r: UpdateRig, path: string) => ({ ...signRelease("dev", { path, generation: 9 }, r.key), path: `${path}x` }),
    ],
    [
      "a path that leads out of the store",
      (r: UpdateRig, path: string) => signRelease("dev", { path: `${path}/../../../tmp/x`, generation: 9 }, r.key),
    ],
    ["a path outside of the store", (r: UpdateRig) => signRelease("dev", { path: "/tmp/x", generation: 9 }, r.key)],
    [
      "no number",
      (r: UpdateRig, path: string) => ({ ...signRelease("dev", { path, generation: 9 }, r.key), generation: "9" }),
    ],
  ])("refuses a wish with %s, and runs what it ran", async (_, wish) => {
    const before = it_.running();
    it_.ask(wish(it_, it_.build({ page: "evil" })));
    expect(await it_.look()).toMatchObject({ code: 1 });
    expect(outcome().outcome).toBe("refused");
    expect(it_.running()).toBe(before);
  });

  const other = () => readSigningKey(newSigningKey("sealed-onion-dev"));
  const narInfos = async (of: string) => {
    const release = await it_.publish(it_.build({ page: of, ballast: of }));
    const name = `${release.path.slice(11, 43)}.narinfo`;
    return { release, name };
  };
  const text = async (name: string) => {
    const file = path.join(it_.guest.folder, "blob");
    const token = await it_.rig.tokenOf(it_.rig.workstation(), "https://storage.azure.com");
    const { ask, via } = await import("loopback-azure/client");
    const headers = { authorization: `Bearer ${token}`, "x-ms-version": "2023-11-03" };
    const url = `https://sealedtest.blob.core.windows.net/systems/${name}`;
    const reply = await ask(via(it_.rig.azure.workstation.env), url, { headers });
    fs.writeFileSync(file, reply.text);
    return reply.text;
  };

  it("takes no path that its key has not signed, no matter who wrote it into the container", async () => {
    const before = it_.running();
    const { release, name } = await narInfos("evil");
    const info = await text(name);
    await it_.put(name, info.replace(/^Sig: .*$/m, `Sig: ${other().sign("1;")}`));
    it_.ask(release);
    await it_.look();
    expect(outcome()).toMatchObject({ outcome: "refused", why: expect.stringContaining("is not signed by") });
    expect(it_.running()).toBe(before);
    await it_.put(name, info);
    expect(await it_.look()).toMatchObject({ code: 0 });
  });

  it.each([
    ["is none", (r: UpdateRig) => r.buildOther(), "it is no NixOS system"],
    [
      "is for other machines",
      (r: UpdateRig) => r.build({ page: "arm", platform: "aarch64-linux" }),
      "it is a system of aarch64-linux, this machine is one of x",
    ],
  ])("does not switch to a system that %s", async (_, build, why) => {
    const before = it_.running();
    it_.ask(await it_.publish(build(it_)));
    await it_.look();
    expect([outcome().outcome, outcome().why, it_.running()]).toEqual(["refused", why, before]);
  });

  it.each([
    ["runs a program in its size", "NarSize", 'a[$(touch "$SEALED_ONION_ROOT/mine")]'],
    ["runs a program in its file's size", "FileSize", 'a[$(touch "$SEALED_ONION_ROOT/mine")]'],
    ["names what is no store path", "References", '../../../etc/x"'],
    ["leads elsewhere", "URL", "../../../etc/passwd"],
  ])("takes no description of a path that %s", async (_, field, value) => {
    const before = it_.running();
    const { release, name } = await narInfos(`odd ${field}`);
    const info = await text(name);
    await it_.put(
      name,
      info.replace(new RegExp(`^${field}: .*$`, "m"), () => `${field}: ${value}`),
    );
    it_.ask(release);
    await it_.look();
    expect(outcome()).toMatchObject({ outcome: "refused", why: expect.stringContaining("is not that of") });
    expect([it_.running(), fs.existsSync(path.join(it_.guest.folder, "mine"))]).toEqual([before, false]);
    await it_.put(name, info);
    expect(await it_.look()).toMatchObject({ code: 0 });
  });

  it("does not fetch what its disk has no room for, and keeps nothing of it", async () => {
    const before = it_.running();
    const { release } = await narInfos("large");
    const df = path.join(it_.guest.folder, "bin/df");
    fs.writeFileSync(df, "#!/bin/sh\nprintf 'Avail\\n5\\n'\n", { mode: 0o755 });
    it_.ask(release);
    await it_.look();
    fs.rmSync(df);
    expect(outcome()).toMatchObject({ outcome: "waiting", why: expect.stringContaining("the disk has 0 MiB left") });
    expect(fs.existsSync(path.join(it_.guest.folder, "var/lib/sealed-onion/systems"))).toBe(false);
    expect(it_.running()).toBe(before);
    expect(await it_.look()).toMatchObject({ code: 0 });
  });

  it("names a path that the container lacks, and goes on once it is there", async () => {
    const before = it_.running();
    const { release, name } = await narInfos("next");
    const info = await text(name);
    await it_.remove(name);
    it_.ask(release);
    await it_.look();
    expect(outcome()).toMatchObject({ outcome: "refused", why: expect.stringContaining(`has no ${name}`) });
    expect(it_.running()).toBe(before);
    await it_.put(name, info);
    expect(await it_.look()).toMatchObject({ code: 0 });
    expect(it_.running()).toBe(release.path);
  });

  it("takes no archive that is cut, and takes it again once it is whole", async () => {
    const before = it_.running();
    const { release, name } = await narInfos("cut");
    const [, url = ""] = /^URL: (.*)$/m.exec(await text(name)) ?? [];
    const whole = await it_.rig.cloud.blobs.read(`${SYSTEMS}/${url}`, 0, 1 << 20);
    await it_.put(url, "cut");
    it_.ask(release);
    await it_.look();
    expect(outcome()).toMatchObject({ outcome: "refused", why: expect.stringContaining("is cut or damaged") });
    expect(it_.running()).toBe(before);
    // It is sent once more, and packed otherwise this time.
    const archive = path.join(it_.guest.folder, "archive");
    fs.writeFileSync(archive, whole);
    const repack = `zstd -dcf ${archive} | zstd -1 --no-check >${archive}.new && nix-hash --type sha256 --base32 --flat ${archive}.new`;
    const hash = execFileSync("sh", ["-c", repack], { encoding: "utf8" }).trim();
    expect(url).not.toContain(hash);
    await it_.put(`nar/${hash}.nar.zst`, fs.readFileSync(`${archive}.new`));
    await it_.put(name, (await text(name)).replace(url, `nar/${hash}.nar.zst`));
    expect(await it_.look()).toMatchObject({ code: 0 });
    expect(it_.running()).toBe(release.path);
  });

  it("waits for a container that it may not read, and serves meanwhile", async () => {
    const before = it_.running();
    const { release } = await narInfos("forbidden");
    it_.mayRead(false);
    it_.ask(release);
    await it_.look();
    expect(outcome()).toMatchObject({ outcome: "waiting", why: expect.stringContaining("HTTP 403") });
    expect(it_.running()).toBe(before);
    it_.mayRead(true);
    expect(await it_.look()).toMatchObject({ code: 0 });
  });

  it("waits for a container that cannot be reached", async () => {
    const { release } = await narInfos("far");
    it_.ask(release);
    const { HTTPS_PROXY, https_proxy } = it_.env;
    Object.assign(it_.env, { HTTPS_PROXY: "http://127.0.0.1:9", https_proxy: "http://127.0.0.1:9" });
    await it_.look();
    expect(outcome()).toMatchObject({ outcome: "waiting", why: expect.stringContaining("cannot be reached") });
    Object.assign(it_.env, { HTTPS_PROXY, ...(https_proxy ? { https_proxy } : {}) });
    if (!https_proxy) delete it_.env.https_proxy;
    expect(await it_.look()).toMatchObject({ code: 0 });
  });
});
