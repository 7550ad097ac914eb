/** How long to wait for what should take some milliseconds. */
export const patience = 20_000;
const every = 30;

const late = (ms, what) => new Error(`not within ${ms} ms: ${what}`);

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks until the answer is true, and gives it. `what` names it in the error; a function is asked at the end. */
export async function until(what, ask, ms = patience) {
  const end = performance.now() + ms;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > end) throw late(ms, typeof what === "function" ? await what() : what);
    await pause(every);
  }
}

/** What the promise gives, or an error if that takes too long. */
export async function within(ms, promise, what) {
  let timer;
  const end = new Promise((_, reject) => (timer = setTimeout(() => reject(late(ms, what())), ms)));
  try {
    return await Promise.race([promise, end]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until what `look` gives has been the same for a while: that nothing more comes can't be waited for. */
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
