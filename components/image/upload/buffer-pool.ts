/** A fixed set of buffers, used again and again: memory stays bounded, and no garbage has to be collected. */
export interface BufferPool {
  /** Waits until a buffer is free. */
  take(): Promise<Buffer>;
  give(buffer: Buffer): void;
}

export function createBufferPool(buffers: readonly Buffer[]): BufferPool {
  const free = [...buffers].reverse();
  const waiting: ((buffer: Buffer) => void)[] = [];
  return {
    take() {
      const buffer = free.pop();
      if (buffer) return Promise.resolve(buffer);
      return new Promise((resolve) => waiting.push(resolve));
    },
    give(buffer) {
      const next = waiting.shift();
      if (next) next(buffer);
      else free.push(buffer);
    },
  };
}
