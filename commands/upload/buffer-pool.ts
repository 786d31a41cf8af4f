/** A fixed number of buffers, used again and again: memory stays bounded, and no garbage has to be collected. */
export interface BufferPool {
  /** Waits until a buffer is free. */
  take(): Promise<Buffer>;
  give(buffer: Buffer): void;
}

export function createBufferPool(count: number, size: number): BufferPool {
  const free: Buffer[] = [];
  const waiting: ((buffer: Buffer) => void)[] = [];
  let made = 0;
  return {
    take() {
      const buffer = free.pop();
      if (buffer) return Promise.resolve(buffer);
      if (made < count) {
        made += 1;
        return Promise.resolve(Buffer.allocUnsafeSlow(size));
      }
      return new Promise((resolve) => waiting.push(resolve));
    },
    give(buffer) {
      const next = waiting.shift();
      if (next) next(buffer);
      else free.push(buffer);
    },
  };
}
