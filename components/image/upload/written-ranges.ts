import type { Range } from "../disk/data-ranges";

/** What a blob holds already, from an upload that was interrupted. */
export interface WrittenRanges {
  /** Whether all of the range was written. */
  cover(range: Range): boolean;
  /** The next place behind `place` where something written begins or ends; infinity behind the last. */
  edge(place: number): number;
  /** What was written between two places, in order, no empty range among it. */
  between(start: number, end: number): Range[];
}

/** @param ranges in order; neighbours may touch, as each request's range is listed by itself */
export function createWrittenRanges(ranges: readonly Range[]): WrittenRanges {
  const joined: Range[] = [];
  for (const { start, end } of ranges) {
    const last = joined.at(-1);
    if (last && last.end >= start) joined[joined.length - 1] = { start: last.start, end: Math.max(last.end, end) };
    else joined.push({ start, end });
  }
  const firstBehind = (place: number): number => {
    let [low, high] = [0, joined.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((joined[middle]?.end ?? 0) > place) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  return {
    cover({ end, start }) {
      const found = joined[firstBehind(start)];
      return found !== undefined && found.start <= start && found.end >= end;
    },
    edge(place) {
      const found = joined[firstBehind(place)];
      if (!found) return Number.POSITIVE_INFINITY;
      return found.start > place ? found.start : found.end;
    },
    between(start, end) {
      const found: Range[] = [];
      for (let index = firstBehind(start); index < joined.length && start < end; index++) {
        const range = joined[index];
        if (!range || range.start >= end) break;
        found.push({ start: Math.max(start, range.start), end: Math.min(end, range.end) });
      }
      return found;
    },
  };
}
