/** A monotonic clock with timers. Nothing here ever asks for the time of day: that is the server's. */
export interface Clock {
  /** Milliseconds from some moment on. */
  now(): number;
  /** Calls back once, unless what it returns is called before. */
  after(ms: number, callback: () => void): () => void;
}

/** The longest delay that setTimeout takes; a longer one would fire at once. */
const longest = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => (typeof performance === "undefined" ? Date.now() : performance.now()),
  after: (ms, callback) => {
    const timer = setTimeout(callback, Math.min(ms, longest));
    return () => clearTimeout(timer);
  },
};
