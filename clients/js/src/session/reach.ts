import type { Clock } from "../platform/clock.js";

/** How long a server may take to answer, in milliseconds. */
const timeout = 5_000;

/** Asks why there is no connection to a server. Browsers don't say why a WebSocket or a fetch failed. */
export async function whyNoConnection(server: string, fetch: typeof globalThis.fetch | undefined, clock: Clock): Promise<string> {
  if (typeof navigator !== "undefined" && navigator.onLine === false) return "this device is offline";
  const page = typeof location === "undefined" ? undefined : location;
  if (page?.protocol === "https:" && /^http:/i.test(server)) return "a page on https can't use a server on http";
  if (!fetch) return "it does not answer, or the platform does not allow this address; the console may say which";
  const ask = (mode: RequestMode): Promise<Response> => withTimeout(server, fetch, mode, clock);
  try {
    return whyStatus((await ask("cors")).status, page?.origin);
  } catch (error) {
    const code = (error as { cause?: { code?: unknown } }).cause?.code;
    const nothing = "nothing answers; is the address right, does the server run, and is its certificate trusted?";
    if (!page?.origin || page.origin === new URL(server).origin) return typeof code === "string" ? `${code}; ${nothing}` : nothing;
    return ask("no-cors").then(
      () => {
        const { pathname } = new URL(server);
        const path = pathname === "/" ? "" : `is the path ${pathname} right? If so, `;
        return `it answers, but not to pages from ${page.origin}: ${path}${allow(page.origin)}`;
      },
      () => nothing,
    );
  }
}

const allow = (origin = "ORIGIN"): string => `allow them with \`ringline app set APP --origin ${origin}\``;

/** What the answer to a GET of a path that only accepts POST says. */
function whyStatus(status: number, origin: string | undefined): string {
  switch (status) {
    case 405:
      return "it answers, but no session opens; does a proxy block both WebSocket and POST?";
    case 403:
      return `it refuses this page's origin: ${allow(origin)}`;
    case 429:
      return "too many connections from this address";
    case 502:
    case 503:
    case 504:
      return `status ${status}: it is starting or stopping, or a proxy does not reach it`;
    default:
      return `status ${status}: no Ringline edge answers; is the path right?`;
  }
}

async function withTimeout(server: string, fetch: typeof globalThis.fetch, mode: RequestMode, clock: Clock): Promise<Response> {
  const abort = new AbortController();
  const stop = clock.after(timeout, () => abort.abort());
  try {
    return await fetch(`${server}/connection/http_stream`, { mode, cache: "no-store", credentials: "omit", signal: abort.signal });
  } finally {
    stop();
  }
}
