import { RinglineError } from "../api/error.js";
import type { Clock } from "../platform/clock.js";
import { readAnswer } from "../wire/read.js";

type Method = "away" | "back";

/** How often a request is sent in one session, and the pause before the second time, in milliseconds. Later ones double. */
const maxTries = 6;
const firstPause = 1_000;

/**
 * Tells the server that this page is away while it is in a call, so that a closed socket does not count as a lost
 * device. `back` withdraws it, and so does a new session: a page that is still away says so again. Both change nothing
 * when they are repeated, so a request that was lost or refused for the moment is sent again. Outside of a call
 * nothing is sent. An older server does not know these methods, and then nothing changes.
 */
export class Away {
  private isUp = false; // there is a session
  private away = false; // the page is away
  private known = false; // the server knows it in this session, or a request is on its way
  private latest = 0; // counts requests; the result of an earlier one is of no interest
  private stopPause = (): void => {};

  constructor(
    private readonly inCall: () => boolean,
    private readonly request: (method: Method) => Promise<unknown>,
    private readonly clock: Clock,
  ) {}

  /** The page goes away or comes back. */
  set(away: boolean): void {
    this.away = away;
    this.update();
  }

  /** A new session: the server does not know yet that the page is away. */
  opened(): void {
    this.down();
    this.isUp = true;
    this.update();
  }

  /** There is no session. It reconnects. */
  down(): void {
    this.isUp = this.known = false;
    this.latest++;
    this.stopPause();
  }

  /** The session is over. */
  reset(): void {
    this.down();
    this.away = false;
  }

  /** The page or its calls have changed. */
  update(): void {
    if (!this.isUp) return;
    if (this.away && !this.known && this.inCall()) void this.send("away");
    else if (!this.away && this.known) void this.send("back");
  }

  private async send(method: Method, tries = 1): Promise<void> {
    this.stopPause();
    this.known = method === "away";
    const latest = ++this.latest;
    const isOver = await this.request(method).then(isFinal, (error: unknown) => error instanceof RinglineError);
    if (isOver || latest !== this.latest || tries === maxTries) return;
    this.stopPause = this.clock.after(firstPause * 2 ** (tries - 1), () => {
      if (method === "back" || this.inCall()) void this.send(method, tries + 1);
      else this.known = false;
    });
  }
}

/** Whether the server has carried out the request, or never will. */
function isFinal(data: unknown): boolean {
  const code = readAnswer(data)?.error?.code;
  return code !== "rate_limited" && code !== "unavailable" && code !== "exhausted" && code !== "internal";
}
