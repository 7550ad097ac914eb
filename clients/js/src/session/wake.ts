import type { Clock } from "../platform/clock.js";

/** How often it looks at the clock, in milliseconds. */
const interval = 5_000;
/** How much later than planned it may run, in milliseconds. A busy page can be late too, but hardly by this much. */
const maxLate = 10_000;
/** Browsers run the timers of a hidden page only once a minute. */
const maxLateHidden = 70_000;

/**
 * Notices that this page did not run for a while, because the device slept or the page was frozen. The connection may
 * be dead then without a sign, and what it still delivers may be old.
 */
export class Wake {
  private last = 0;
  private wasHidden = false;
  private stopTimer = (): void => {};

  constructor(
    private readonly clock: Clock,
    private readonly onWake: () => void,
  ) {}

  /** Starts, or starts again with a new connection. */
  start(): void {
    this.stop();
    this.look();
    this.stopTimer = this.clock.after(interval, () => {
      const woke = this.woke();
      this.start();
      if (woke) this.onWake();
    });
  }

  stop(): void {
    this.stopTimer();
  }

  /** Reports whether there was a gap since it last looked. */
  woke(): boolean {
    const { last, wasHidden } = this;
    this.look();
    return this.last - last > interval + (wasHidden || this.wasHidden ? maxLateHidden : maxLate);
  }

  private look(): void {
    this.last = this.clock.now();
    this.wasHidden = typeof document !== "undefined" && document.hidden;
  }
}
