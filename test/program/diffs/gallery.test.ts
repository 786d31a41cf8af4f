import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { NEW_IMAGE } from "../../rehearsal/engine/story-tools";
import { configure, said, startStack, type TestStack } from "./test-stack";

/** What a changed image leads to: as with a managed image, but for the version in its place. */
const NEW_VERSION = [...NEW_IMAGE.map((change) => change.replace("image-image", "image-version"))].sort();
const GALLERY = { image: { publish: "gallery" } };

// Each of these is two or three updates and as many previews.
vi.setConfig({ testTimeout: 180_000 });

let stack: TestStack;
beforeEach(() => {
  stack = startStack();
});
afterEach(() => stack.close());

const change = async (settings: Readonly<Record<string, unknown>>): Promise<string[]> => {
  await stack.engine.setConfig(configure({ ...GALLERY, ...settings }));
  return said(stack.engine);
};
/** The version that the VM boots. */
const version = async (): Promise<string | undefined> => `${(await stack.engine.outputs()).imageId}`.split("/").at(-1);

describe("under publish: gallery", () => {
  it("a changed image is a new version, and a new VM from it; whatever else is in the gallery stays", async () => {
    await change({});
    expect(await version()).toBe("2026.102.30400");
    expect(await change({ adminUser: "alice" })).toEqual(NEW_VERSION);
    expect(await version()).toBe("2026.102.30401");
    expect(stack.work).toHaveLength(4);
  });

  it("an older commit gives the version that it had, without a build or an upload", async () => {
    await change({});
    await change({ adminUser: "alice" });
    const before = [...stack.work];
    expect(await change({})).toEqual(NEW_VERSION);
    expect(await version()).toBe("2026.102.30400");
    expect(stack.work).toEqual(before);
  });

  it("what is no part of the image makes no version", async () => {
    await change({});
    expect(await change({ vmSize: "Standard_B2ms" })).toEqual(["update vm-machine"]);
  });
});
