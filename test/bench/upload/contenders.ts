import * as path from "node:path";
import { REQUESTS } from "../../../components/image/upload/pace";
import type { BenchStore } from "./store";

/** A disk's files: the VHD, and the ranges for the floor. */
export interface BenchFiles {
  readonly disk: string;
  readonly ranges: string;
  /** For logs and whatever else a contender keeps. */
  readonly scratch: string;
}

export interface Contender {
  readonly name: "ours" | "floor" | "azcopy" | "az";
  command(files: BenchFiles, store: BenchStore, blob: string): readonly [string, ...string[]];
  environment(files: BenchFiles, store: BenchStore, blob: string): NodeJS.ProcessEnv;
}

const run = path.resolve("components/start/run.mjs");

export const ours: Contender = {
  name: "ours",
  command: () => [process.execPath, run, "upload-image"],
  environment: ({ disk }, { containerUrl, sas }, blob) => ({
    ...process.env,
    VHD: disk,
    BLOB_URL: `${containerUrl}/${blob}`,
    DIGEST: "bench",
    SEALED_ONION_SAS: sas,
  }),
};

export const floor: Contender = {
  name: "floor",
  command: ({ disk, ranges }) => [process.execPath, run, "test/bench/upload/floor.ts", disk, ranges, `${REQUESTS}`],
  environment: (_files, { containerUrl, sas }, blob) => ({
    ...process.env,
    BLOB_URL: `${containerUrl}/${blob}?${sas}`,
  }),
};

export function azcopy(program: string): Contender {
  const options = ["--blob-type=PageBlob", "--from-to=LocalBlob", "--log-level=NONE", "--output-level=quiet"];
  return {
    name: "azcopy",
    command: ({ disk }, { containerUrl, sas }, blob) => [
      program,
      "copy",
      disk,
      `${containerUrl}/${blob}?${sas}`,
      "--skip-version-check",
      ...options,
    ],
    environment: ({ scratch }) => ({
      ...process.env,
      AZCOPY_LOG_LOCATION: scratch,
      AZCOPY_JOB_PLAN_LOCATION: scratch,
      AZCOPY_DISABLE_SYSLOG: "true",
    }),
  };
}

/** The Azure CLI, where it is installed. */
export function az(program: string): Contender {
  return {
    name: "az",
    command: ({ disk }, { blobEndpoint, sas }, blob) => [
      ...([program, "storage", "blob", "upload", "--type=page", `--file=${disk}`, `--name=${blob}`] as const),
      ...[
        "--container-name=images",
        `--blob-endpoint=${blobEndpoint}`,
        `--sas-token=${sas}`,
        "--only-show-errors",
        "--no-progress",
      ],
    ],
    environment: ({ scratch }) => ({ ...process.env, AZURE_CONFIG_DIR: scratch }),
  };
}
