import type { Clock } from "./clock.js";
import type { ServerTime } from "./ringtime.js";
import type { Tokens } from "./tokens.js";

/** How long before its end a token is told of, in milliseconds. */
const notice = 30_000;
const day = 86_400_000; // a timer must not be set for longer than 24 days

/** Tells once of each token that it is about to expire, by the server's clock. */
export class TokenWatch {
  private stopTimer = (): void => {};
  private told = 0; // the end of the token that was told of

  constructor(
    private readonly tokens: Tokens,
    private readonly serverTime: ServerTime,
    private readonly clock: Clock,
    private readonly tell: () => void,
  ) {}

  /** Begins anew: there is another token, or a better idea of the time. */
  start(): void {
    this.stop();
    const now = this.serverTime.now();
    const expires = this.tokens.claims?.expires ?? Infinity;
    if (now === undefined || expires === Infinity || expires === this.told) return;
    const wait = expires * 1000 - notice - now;
    this.stopTimer = this.clock.after(Math.min(Math.max(0, wait), day), () => {
      if (wait > day) return this.start();
      this.told = expires;
      this.tell();
    });
  }

  stop(): void {
    this.stopTimer();
  }
}
