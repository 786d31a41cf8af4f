import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nixBuild } from "../../../../components/image/build/nix-build";

const before = { folder: process.cwd(), path: process.env.PATH };
let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "nix-build-"));
  process.chdir(folder);
  process.env.PATH = `${folder}${path.delimiter}${before.path}`;
});
afterEach(() => {
  process.chdir(before.folder);
  process.env.PATH = before.path;
  fs.rmSync(folder, { recursive: true });
});

/** Stands for nix on a machine without KVM. */
function fakeNix(settings: object, dryRun: string): void {
  const script = `#!/bin/sh
echo "$@" >> nix.log
case "$*" in
  *show-config*) echo '${JSON.stringify(settings)}' ;;
  *--dry-run*) printf '${dryRun}' >&2; echo '[{"drvPath":"/nix/store/aaaa-nixos-disk-image.drv"}]' ;;
  *) mkdir -p out .cache/images; touch out/nixos.vhd; ln -sfn ../../out .cache/images/dev-d1 ;;
esac
`;
  fs.writeFileSync("nix", script, { mode: 0o755 });
}
const settings = (builders: string, ...features: string[]) => ({
  builders: { value: builders },
  "system-features": { value: features },
});
const build = (): Promise<string> =>
  nixBuild({ stack: "dev", digest: "d1", system: "x86_64-linux" }, path.join(folder, "no-kvm"));
const log = (): string => fs.readFileSync("nix.log", "utf8");
const IMAGE_IS_BUILT =
  "these derivations will be built:\\n  /nix/store/bbbb-etc.drv\\n  /nix/store/aaaa-nixos-disk-image.drv\\n" +
  "these paths will be fetched (1 MiB):\\n  /nix/store/cccc-linux\\n";

describe("without KVM", () => {
  it("nothing is built or fetched, and the ways out are named", async () => {
    fakeNix(settings("@/no/such/file", "benchmark"), IMAGE_IS_BUILT);
    await expect(build()).rejects.toThrow(
      "Nix cannot build a disk on this machine, /dev/kvm is missing: set image.vhd to a disk that was built " +
        "elsewhere, image.builder to a command that builds it, or give Nix a remote builder",
    );
    expect(log()).not.toContain("--out-link");
  });

  it("an image that a binary cache has is taken from there", async () => {
    fakeNix(settings("", "benchmark"), "these paths will be fetched (1 MiB):\\n  /nix/store/cccc-nixos-disk-image\\n");
    expect(await build()).toBe(".cache/images/dev-d1/nixos.vhd");
  });

  it("other derivations may be built here, where the image itself is in a cache", async () => {
    fakeNix(settings("", "benchmark"), "this derivation will be built:\\n  /nix/store/bbbb-etc.drv\\n");
    expect(await build()).toBe(".cache/images/dev-d1/nixos.vhd");
  });

  it.each([
    ["a remote builder", settings("ssh://builder x86_64-linux")],
    ["a Nix that says it has KVM", settings("", "benchmark", "kvm")],
  ])("%s builds", async (_what, found) => {
    fakeNix(found, IMAGE_IS_BUILT);
    expect(await build()).toBe(".cache/images/dev-d1/nixos.vhd");
    expect(log()).not.toContain("--dry-run");
  });

  it("a file of remote builders is read", async () => {
    fs.writeFileSync("machines", "ssh://builder x86_64-linux\n");
    fakeNix(settings(`@${path.join(folder, "machines")}`), IMAGE_IS_BUILT);
    expect(await build()).toBe(".cache/images/dev-d1/nixos.vhd");
  });
});

it.each(["", "\n", "# ssh://builder x86_64-linux\n\n  # another\n"])(
  "a file of machines that lists none is no builder: %j",
  async (machines) => {
    fs.writeFileSync("machines", machines);
    fakeNix(settings(`@${path.join(folder, "machines")}`), IMAGE_IS_BUILT);
    await expect(build()).rejects.toThrow("Nix cannot build a disk on this machine");
  },
);

it("a Nix that cannot read its own settings is told so, in its words", async () => {
  fs.writeFileSync("nix", "#!/bin/sh\necho 'error: unknown setting' >&2\nexit 1\n", { mode: 0o755 });
  await expect(build()).rejects.toThrow("nix show-config failed: error: unknown setting");
});

it("a result may be packed", async () => {
  fakeNix(settings("ssh://builder"), "");
  fs.writeFileSync("nix", fs.readFileSync("nix", "utf8").replace("nixos.vhd", "nixos.vhd.zst"));
  expect(await build()).toBe(".cache/images/dev-d1/nixos.vhd.zst");
});

it("a result without one disk is refused", async () => {
  fakeNix(settings("ssh://builder"), "");
  fs.mkdirSync("out");
  fs.writeFileSync("out/second.vhd", "");
  await expect(build()).rejects.toThrow(
    "should hold one disk, it holds nixos.vhd, second.vhd: check system.build.azureImage",
  );
});
