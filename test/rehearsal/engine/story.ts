import { changesOf } from "./engine";
import type { Stage } from "./stage";
import { life } from "./story-chapters";
import { searchState } from "./story-tools";

/** One chapter that was told: what was done, and how long it took. */
export interface Chapter {
  name: string;
  /** Wall time. */
  seconds: number;
  /** `update token-seal`: what was not left as it was. */
  changes: string[];
  note?: string;
}

export interface StoryOptions {
  onChapter?: (chapter: Chapter) => void;
}

/**
 * A stack's whole life under an engine, from the first preview to its end. Each chapter's operations are asserted by
 * resource and kind, and after each one the state is searched for plaintext.
 * @throws AssertionError with the engine's log
 */
export async function tellStory(stage: Stage, options: StoryOptions = {}): Promise<Chapter[]> {
  const chapters: Chapter[] = [];
  for (const [name, tell] of life) {
    const started = performance.now();
    const { runs, note } = await tell(stage);
    await searchState(stage, runs);
    const seconds = Math.round((performance.now() - started) / 10) / 100;
    const chapter = { name, seconds, changes: runs.flatMap(changesOf), ...(note !== undefined && { note }) };
    chapters.push(chapter);
    options.onChapter?.(chapter);
  }
  return chapters;
}
