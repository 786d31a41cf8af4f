import { describe, expect, it } from "vitest";
import { type ImageInputs, imageDigest, imageNames, isImageBlobOf } from "../../../components/image/image";

const inputs: ImageInputs = { builder: "nix", facts: "{}", nixDigest: "aa", sealed: { site: "11", api: "22" } };

describe("imageDigest", () => {
  it("is the same for the same inputs, whatever the order of the sealed secrets", () => {
    expect(imageDigest(inputs)).toMatch(/^[0-9a-f]{64}$/);
    expect(imageDigest({ ...inputs, sealed: { api: "22", site: "11" } })).toBe(imageDigest(inputs));
  });

  it.each([
    ["builder", { builder: '["make","image"]' }],
    ["facts", { facts: "{ }" }],
    ["tree", { nixDigest: "ab" }],
    ["sealed file", { sealed: { site: "11", api: "23" } }],
    ["set of sealed files", { sealed: { site: "11" } }],
    ["border between a name and a digest", { sealed: { site: "11", a: "pi22" } }],
  ])("changes with the %s", (_what, change) => {
    expect(imageDigest({ ...inputs, ...change })).not.toBe(imageDigest(inputs));
  });
});

describe("imageNames", () => {
  const digest = "0123456789abcdef".repeat(4);

  it("names blob and image by stack and digest", () => {
    const name = "dev-0123456789abcdef0123456789abcdef";
    expect(imageNames("dev", digest)).toEqual({ blob: `${name}.vhd`, image: name });
  });

  it("keeps an image's name within Azure's 80 characters", () => {
    expect(imageNames("s".repeat(90), digest).image).toHaveLength(80);
  });

  it("knows a stack's blobs from those of a stack whose name starts alike", () => {
    expect(isImageBlobOf("dev", imageNames("dev", digest).blob)).toBe(true);
    expect(isImageBlobOf("dev", imageNames("dev-eu", digest).blob)).toBe(false);
    expect(isImageBlobOf("dev", "dev-backup.vhd")).toBe(false);
  });
});
