import { describe, expect, it } from "vitest";
import { needsOf, parseVmSize, placementsOf } from "../../../components/vm/vm-size";

function problem(value: string, ephemeralOsDisk = false): string | undefined {
  try {
    parseVmSize({ path: "vmSize", value }, ephemeralOsDisk);
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(/, got .*/, "");
  }
}

const GENERATION = "vmSize must be a size for Generation 2 images (UEFI)";
const CONFIDENTIAL = "vmSize must be a size that is not for confidential machines";
const FORM = 'vmSize must be a VM size\'s full name, such as "Standard_B2s"';

describe("a VM size", () => {
  it.each([
    "Standard_B2s",
    "Standard_B1ls",
    "Standard_B2ats_v2",
    "Standard_D2s_v3",
    "Standard_D2_v4",
    "Standard_D2ds_v5",
    "Standard_D4as_v6",
    "Standard_DS2_v2",
    "Standard_DC2s_v3",
    "Standard_E4-2s_v5",
    "Standard_E2bds_v5",
    "Standard_F2s_v2",
    "Standard_L8s_v3",
    "Standard_NC4as_T4_v3",
  ])("%s boots the image", (size) => {
    expect(problem(size)).toBeUndefined();
  });

  it.each([
    ["Basic_A1", GENERATION],
    ["Standard_A1_v2", GENERATION],
    ["Standard_A8m_v2", GENERATION],
    ["Standard_D2", GENERATION],
    ["Standard_D2_v2", GENERATION],
    ["Standard_D2_v3", GENERATION],
    ["Standard_F2", GENERATION],
    ["Standard_DC2as_v5", CONFIDENTIAL],
    ["Standard_EC4ads_v5", CONFIDENTIAL],
    ["Standard_DC2es_v6", CONFIDENTIAL],
    ["Standard_NCC40ads_H100_v5", CONFIDENTIAL],
    ["B2s", FORM],
    ["standard_b2s", FORM],
    ["Standard_", FORM],
  ])("%s does not: %s", (size, expected) => {
    expect(problem(size)).toBe(expected);
  });
});

describe("what a size asks of its image", () => {
  it.each([
    ["Standard_B2s", "x64", false],
    ["Standard_D2ps_v5", "Arm64", false],
    ["Standard_B2pts_v2", "Arm64", false],
    ["Standard_E2pds_v6", "Arm64", true],
    ["Standard_D2s_v6", "x64", true],
    ["Standard_D4as_v6", "x64", true],
    ["Standard_D2as_v7", "x64", true],
    ["Standard_L8s_v3", "x64", false],
    ["Standard_L8s_v4", "x64", true],
    ["Standard_FX4ms_v2", "x64", true],
    ["Standard_NC4as_T4_v3", "x64", false],
  ])("%s: %s, NVMe %s", (size, architecture, nvme) => {
    expect(problem(size)).toBeUndefined();
    expect(needsOf(size)).toEqual({ architecture, nvme });
  });

  it.each([
    ["Standard_B2s", []],
    ["Standard_D2s_v5", []],
    ["Standard_D2s_v6", []],
    ["Standard_D2s_v3", ["CacheDisk", "ResourceDisk"]],
    ["Standard_D2ads_v5", ["CacheDisk", "ResourceDisk"]],
    ["Standard_D2ads_v6", ["NvmeDisk"]],
  ])("%s has room for an OS disk on its host at %j", (size, placements) => {
    expect(placementsOf(size)).toEqual(placements);
  });
});

describe("an ephemeral OS disk", () => {
  it.each(["Standard_D2s_v3", "Standard_D2ds_v4", "Standard_D2ads_v5", "Standard_D2ads_v6", "Standard_F2s_v2"])(
    "fits on %s",
    (size) => {
      expect(problem(size, true)).toBeUndefined();
    },
  );

  it.each([
    "Standard_B2s",
    "Standard_B2ts_v2",
    "Standard_D2s_v5",
    "Standard_D2as_v5",
    "Standard_D2_v4",
    "Standard_D2as_v6",
  ])("does not fit on %s", (size) => {
    expect(problem(size, true)).toMatch(/^vmSize must be a size with a local disk for the ephemeral OS disk/);
  });
});
