/** A monotonic clock with timers. Nothing here reads the time of day: only the server's counts. */
export interface Clock {
  /** Milliseconds since some fixed moment. */
  now(): number;
  /** Calls back once, unless the returned function is called first. */
  after(ms: number, callback: () => void): () => void;
}

/** The longest delay that setTimeout accepts. A longer one would fire at once. */
const longest = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => (typeof performance === "undefined" ? Date.now() : performance.now()),
  after: (ms, callback) => {
    const timer = setTimeout(callback, Math.min(ms, longest));
    return () => clearTimeout(timer);
  },
};
