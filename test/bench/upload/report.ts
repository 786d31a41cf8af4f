import { median } from "../median";
import type { Contender } from "./contenders";
import type { BenchDisk } from "./disks";
import type { MeasuredRun } from "./measured-run";

export interface DiskResult {
  readonly name: BenchDisk["name"];
  /** Bytes of sectors that are not all zeros. */
  readonly dataBytes: number;
  /** One run a round; the runs of one round have the same place in each list. */
  readonly runs: ReadonlyMap<Contender["name"], readonly (MeasuredRun & { readonly stored: number })[]>;
}

interface DiskFigures {
  readonly ratioToAzcopy: number | null;
  readonly ratioToAz: number | null;
  readonly ratioToFloor: number;
  readonly bytesRatio: number;
  readonly peakRssMiB: number;
  readonly seconds: number;
}

/** What is to hold; see the README's chapter on images. */
const bars = {
  ratioToAzcopy: { scattered: 0.6, ext4: 0.6, full: 1, empty: 1 },
  ratioToFloor: { scattered: 1.1, ext4: 1.1, full: 1.1, empty: 1.2 },
  bytesRatio: 1.02,
  peakRssMiB: 128,
  resentRatio: 0.05,
};

function figures({ dataBytes, runs }: DiskResult): DiskFigures {
  const ours = runs.get("ours") ?? [];
  const ratioTo = (other: Contender["name"]): number | null => {
    const theirs = runs.get(other);
    return theirs ? median(ours.map(({ seconds }, round) => seconds / (theirs[round]?.seconds ?? Number.NaN))) : null;
  };
  return {
    ratioToAzcopy: rounded(ratioTo("azcopy")),
    ratioToAz: rounded(ratioTo("az")),
    ratioToFloor: rounded(ratioTo("floor")) ?? Number.NaN,
    bytesRatio: Math.max(...ours.map(({ stored }) => stored)) / dataBytes,
    peakRssMiB: Math.round(Math.max(...ours.map(({ peakRssMiB }) => peakRssMiB))),
    seconds: rounded(median(ours.map(({ seconds }) => seconds))) ?? 0,
  };
}

/** The last line of `--json`. */
export function judge(results: readonly DiskResult[], resentRatio: number | undefined): object {
  const images = Object.fromEntries(results.map((result) => [result.name, figures(result)]));
  return { images, resentRatio: rounded(resentRatio ?? null) };
}

/** A table: ours beside the others, and each bar that is missed. */
export function summary(results: readonly DiskResult[], resentRatio: number | undefined): string {
  const lines = results.flatMap((result) => {
    const found = figures(result);
    const times = [...result.runs].map(
      ([name, runs]) => `${name} ${median(runs.map(({ seconds }) => seconds)).toFixed(2)} s`,
    );
    const text = `${result.name}: ${times.join(", ")}; ${ratio("azcopy", found.ratioToAzcopy)}, ${ratio("floor", found.ratioToFloor)}`;
    return [`${text}, bytes ${found.bytesRatio.toFixed(3)}, ${found.peakRssMiB} MiB`, ...missed(result.name, found)];
  });
  return [...lines, ...(resentRatio === undefined ? [] : resent(resentRatio))].join("\n");
}

function resent(share: number): string[] {
  const percent = (value: number): string => `${(value * 100).toFixed(1)}%`;
  const line = `sent again after kill -9: ${percent(share)}`;
  return share > bars.resentRatio ? [line, `  missed: at most ${percent(bars.resentRatio)}`] : [line];
}

function missed(name: BenchDisk["name"], found: DiskFigures): string[] {
  const checks: [what: string, value: number | null, bar: number][] = [
    ["of azcopy's time", found.ratioToAzcopy, bars.ratioToAzcopy[name]],
    ["of the floor", found.ratioToFloor, bars.ratioToFloor[name]],
    ["of the data's bytes", found.bytesRatio, bars.bytesRatio],
    ["MiB", found.peakRssMiB, bars.peakRssMiB],
  ];
  const over = checks.filter(([, value, bar]) => value !== null && value > bar);
  return over.map(([what, value, bar]) => `  missed: ${value} ${what}, at most ${bar}`);
}

const ratio = (to: string, value: number | null): string => `${value ?? "no"} of ${to}`;

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 1000) / 1000;
}
