/** Why sops failed, for people. It holds no plaintext. */
export interface SopsFailure {
  /** What happened, with Azure's own reason where there is one. */
  readonly reason: string;
  /** What to do about it. */
  readonly remedy: string;
  /** Whether the same call may succeed in a while. */
  readonly passing: boolean;
  /** How long Azure asks to wait before the next call. Milliseconds. */
  readonly waitMs?: number;
  /** sops's own words, or none: nothing known explains it. */
  readonly unexplained?: true;
}

/** What people read where a pattern matches what sops says. */
export type Explain = (match: RegExpExecArray, text: string) => SopsFailure;
