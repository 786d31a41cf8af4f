/** One request that reached the loopback Azure. Never a body, a token or a query. */
export interface RequestRecord {
  /** Milliseconds since 1970. */
  at: number;
  /** `workstation`, or the id of the machine whose proxy was used. */
  via: string;
  method: string;
  host: string;
  path: string;
  /** HTTP status; 0 while it runs and where the connection ended without one. */
  status: number;
  /** What was asked for, in the service's words: `decrypt`, `token`, `Put Page` ... */
  operation?: string;
  /** Error code of the answer. */
  code?: string;
  /** Object id of the caller. */
  principal?: string;
  /** The injected fault that met it. */
  fault?: string;
  /** Why there was no proper answer. */
  failure?: string;
  /** Bytes of the request's body, as announced. */
  requestBytes?: number;
  durationMs?: number;
}

/** What happened, oldest first. */
export interface RequestLog {
  readonly entries: readonly RequestRecord[];
  clear(): void;
  /** Called when a request is over; answers the function that ends it. */
  subscribe(listener: (record: RequestRecord) => void): () => void;
}

export interface RequestRecorder extends RequestLog {
  begin(record: RequestRecord): RequestRecord;
  end(record: RequestRecord): void;
}

/** More than any rehearsal makes: beyond it the oldest are forgotten. */
const KEPT = 50_000;

export function createRequestLog(): RequestRecorder {
  const entries: RequestRecord[] = [];
  const listeners = new Set<(record: RequestRecord) => void>();
  return {
    entries,
    clear() {
      entries.length = 0;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    begin(record) {
      if (entries.length >= KEPT) entries.shift();
      entries.push(record);
      return record;
    },
    end(record) {
      record.durationMs = Date.now() - record.at;
      for (const listener of listeners) listener(record);
    },
  };
}
