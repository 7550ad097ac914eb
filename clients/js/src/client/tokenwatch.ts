import type { Clock } from "../platform/clock.js";
import type { Tokens } from "../session/tokens.js";
import type { ServerTime } from "./servertime.js";

/** How long before a token expires it is reported, in milliseconds. */
const notice = 30_000;
const day = 86_400_000; // setTimeout can't wait longer than 24 days

/** Reports once for each token that it is about to expire, by the server's clock. */
export class TokenWatch {
  private stopTimer = (): void => {};
  private reported = 0; // the expiry of the token that was reported

  constructor(
    private readonly tokens: Tokens,
    private readonly serverTime: ServerTime,
    private readonly clock: Clock,
    private readonly report: () => void,
  ) {}

  /** Restarts: there is another token, or a better estimate of the time. */
  start(): void {
    this.stop();
    const now = this.serverTime.now();
    const expires = this.tokens.claims?.expires ?? Infinity;
    if (now === undefined || expires === Infinity || expires === this.reported) return;
    const wait = expires * 1000 - notice - now;
    this.stopTimer = this.clock.after(Math.min(Math.max(0, wait), day), () => {
      if (wait > day) return this.start();
      this.reported = expires;
      this.report();
    });
  }

  stop(): void {
    this.stopTimer();
  }
}
