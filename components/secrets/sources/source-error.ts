import { refusalOf, wordsOf } from "../../process/words";

/**
 * A source that gives no plaintext. The message names the source and says what to do; it holds no byte of what the
 * source holds.
 */
export class SourceError extends Error {
  constructor(
    message: string,
    /** The source is not on this machine at all: a preview may then go by what was recorded when it was sealed. */
    readonly absent = false,
  ) {
    super(message);
  }
}

/** The reason of a failed file operation without Node's prefix and path: "permission denied". */
export function fileProblem(error: unknown): string {
  return (refusalOf(error) ?? wordsOf(error)).split(":", 1)[0] ?? "";
}
