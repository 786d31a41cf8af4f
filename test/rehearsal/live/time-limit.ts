/**
 * Does something until a moment at the latest. What it has begun goes on: its caller ends it.
 * @throws when the moment comes first
 */
export async function withinTime<T>(moment: Date, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const over = () => reject(new Error(`its time was over at ${moment.toISOString()}: what it has made is removed`));
    timer = setTimeout(over, Math.max(0, moment.getTime() - Date.now()));
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
