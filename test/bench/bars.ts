/** What figures are to be, by bench and figure: at most so much, or at least where it says so. Others have no bar. */
export interface Bar {
  readonly most?: number;
  readonly least?: number;
}

const upload = (azcopy: number, floor: number): Record<string, Bar> => ({
  ratioToAzcopy: { most: azcopy },
  ratioToFloor: { most: floor },
  bytesRatio: { most: 1.02 },
  peakRssMiB: { most: 128 },
});
const ofImage = (name: string, bars: Record<string, Bar>): Record<string, Bar> =>
  Object.fromEntries(Object.entries(bars).map(([figure, bar]) => [`images.${name}.${figure}`, bar]));

const bars: Readonly<Record<string, Readonly<Record<string, Bar>>>> = {
  digest: { milliseconds: { most: 50 }, gigabytesPerSecond: { least: 1 } },
  "image-delta": { ratioToChanged: { most: 1.1 } },
  install: { megabytes: { most: 380 }, seconds: { most: 15 } },
  preview: {
    extraSeconds: { most: 0.5 },
    secondsPerSecret: { most: 0.01 },
    unchangedUpExtraSeconds: { most: 0.3 },
  },
  seal: {
    ratioToSops: { most: 1.3 },
    ratioOfProgramsToSops: { most: 1.3 },
    ratioOfFewBesideLogin: { most: 1.3 },
    vaultCallsUnchanged: { most: 0 },
  },
  update: {
    "page.bytesInPlace": { most: 1 << 20 },
    "page.secondsInPlace": { most: 20 },
    "page.failedFetches": { most: 0 },
    "replacement.failedFetches": { most: 1 },
  },
  unseal: { seconds: { most: 0.5 } },
  upload: {
    ...ofImage("scattered", upload(0.6, 1.1)),
    ...ofImage("ext4", upload(0.6, 1.1)),
    ...ofImage("full", upload(1, 1.1)),
    ...ofImage("empty", upload(1, 1.2)),
    resentRatio: { most: 0.05 },
  },
};

/** `at most 1.1, holds`, or nothing where there is no bar. */
export function judged(bench: string, figure: string, value: unknown): string {
  const bar = bars[bench]?.[figure];
  if (bar === undefined || typeof value !== "number") return "";
  const { least, most } = bar;
  const holds = value <= (most ?? Number.POSITIVE_INFINITY) && value >= (least ?? Number.NEGATIVE_INFINITY);
  return `${most === undefined ? `at least ${least}` : `at most ${most}`}, ${holds ? "holds" : "missed"}`;
}
