/** The time limit for conditions that normally take some milliseconds. */
export const patience = 20_000;
const every = 30;

const late = (ms, what) => new Error(`not within ${ms} ms: ${what}`);

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Polls until the result is true, and returns it. `what` is the text for the error. If it is a function, it is called
 * at the end.
 */
export async function until(what, ask, ms = patience) {
  const end = performance.now() + ms;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > end) throw late(ms, typeof what === "function" ? await what() : what);
    await pause(every);
  }
}

/** Resolves with the promise, or rejects if that takes too long. */
export async function within(ms, promise, what) {
  let timer;
  const end = new Promise((_, reject) => (timer = setTimeout(() => reject(late(ms, what())), ms)));
  try {
    return await Promise.race([promise, end]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until the result of `look` has not changed for a while, as a check that nothing more arrives. */
export async function quiet(look, ms = 300) {
  let last;
  let since = performance.now();
  await until("quiet", async () => {
    const now = JSON.stringify(await look());
    if (now !== last) since = performance.now();
    last = now;
    return performance.now() - since > ms;
  });
}
