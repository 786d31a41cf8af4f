/** What a line has taken of the requests that run. An answer tells that all of one is through; its age tells how much. */
export interface Line {
  /** A request with so many bytes starts. Times are milliseconds of any clock. @returns tells that it has been answered */
  send(bytes: number, now: number): (now: number) => void;
  /** Bytes of all requests that run. */
  flying(): number;
  /** Undefined until enough requests are answered. */
  look(now: number): Passage | undefined;
}

export interface Passage {
  /** Bytes of the requests that run which the line is likely to have taken. */
  readonly through: number;
  /** Bytes a second, since several requests ran at once for the first time: before, the line was not full. */
  readonly rate: number;
}

/** Of so many answers a request's pace is known. */
const ANSWERS = 4;
const RECENT = 16;

export function createLine(): Line {
  const flying = new Set<{ readonly bytes: number; readonly since: number }>();
  /** What the line took in the time of a request: its bytes, as often as requests shared the line. */
  const recent: { readonly bytes: number; readonly ms: number }[] = [];
  let answered = 0;
  let full: { readonly at: number; readonly answered: number } | undefined;
  const bytesOf = (requests: Iterable<{ readonly bytes: number }>): number =>
    [...requests].reduce((sum, { bytes }) => sum + bytes, 0);
  /** Requests share the line: what one of them has taken grows with its age, as with those before it. */
  const through = (now: number): number => {
    const ms = recent.reduce((sum, one) => sum + one.ms, 0);
    const speed = bytesOf(recent) / Math.max(1, ms) / flying.size;
    return [...flying].reduce((sum, { bytes, since }) => sum + Math.min(bytes, (now - since) * speed), 0);
  };
  return {
    send(bytes, now) {
      const request = { bytes, since: now };
      flying.add(request);
      const beside = flying.size;
      if (beside > 1) full ??= { at: now, answered };
      return (end) => {
        const sharing = Math.max(beside, flying.size);
        flying.delete(request);
        answered += bytes;
        if (full === undefined || now < full.at) return; // alone it was as quick as its way is short
        recent.push({ bytes: bytes * sharing, ms: end - now });
        if (recent.length > RECENT) recent.shift();
      };
    },
    flying: () => bytesOf(flying),
    look(now) {
      if (full === undefined || recent.length < ANSWERS || now <= full.at) return undefined;
      const taken = through(now);
      return { through: taken, rate: ((answered - full.answered + taken) / (now - full.at)) * 1000 };
    },
  };
}
