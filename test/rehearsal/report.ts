import type { Leak } from "./leaks";
import type { StepTime } from "./steps";

/** How a story ended. */
export interface StoryOutcome {
  name: string;
  seconds: number;
  ok: boolean;
}

/** The outcome of a rehearsal: what `--json` prints as its last line. */
export interface RehearsalReport {
  engine: "in-process" | "pulumi";
  /** A machine under a systemd of its own, or the guest's programs one by one. */
  guest: "booted" | "light";
  /** How many resources the program declared, components not counted. */
  resources: number;
  onionHostname: string;
  /** Of the page that was fetched over Tor. */
  httpStatus: number;
  secretsUnsealed: number;
  /** Where plaintext was found; never the plaintext. */
  leaks: Leak[];
  /** Whether the search found what was planted for it. */
  canaryFound: boolean;
  bytesUploaded: number;
  steps: StepTime[];
  /** What happened to the booted machine; none for the light guest. */
  stories: StoryOutcome[];
  /** What could not be done on this machine, and why. */
  skipped: string[];
  ok: boolean;
}

/** What a rehearsal came to, while everything is still up. */
export interface Rehearsed {
  report: RehearsalReport;
  /** Prepares everything for use by hand, and says how, for people. */
  keepOpen: () => Promise<string>;
}
