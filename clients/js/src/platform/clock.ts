/** A clock with timers. Nothing here shows the time of day: only the server's counts. */
export interface Clock {
  /** Milliseconds since some fixed moment. It never goes back, and it counts the time in which the device slept. */
  now(): number;
  /** Calls back once, unless the returned function is called first. */
  after(ms: number, callback: () => void): () => void;
}

/** The longest delay that setTimeout accepts. A longer one would fire at once. */
const longest = 2 ** 31 - 1;

/** The time of day may be corrected by this much at once without being taken for sleep, in milliseconds. */
const correction = 2_000;

/**
 * Many systems stop the monotonic clock while the device sleeps. The time of day goes on, so what it gains on the
 * monotonic clock between two reads is sleep. Small differences are corrections of the time of day.
 */
export function withSleep(monotonic: () => number, timeOfDay: () => number): () => number {
  let slept = 0;
  let ahead = timeOfDay() - monotonic();
  return () => {
    const now = monotonic();
    const gained = timeOfDay() - now - ahead;
    ahead += gained;
    if (gained > correction) slept += gained;
    return now + slept;
  };
}

const timeOfDay = (): number => Date.now();

export const systemClock: Clock = {
  now: withSleep(typeof performance === "undefined" ? timeOfDay : () => performance.now(), timeOfDay),
  after: (ms, callback) => {
    const timer = setTimeout(callback, Math.min(ms, longest));
    return () => clearTimeout(timer);
  },
};
