import { RinglineError } from "../api/error.js";
import type { Clock } from "../platform/clock.js";

/** A connection that lasted this long ends an outage. After a shorter one, the same cause is not reported again. */
const stableAfter = 5_000;

/**
 * Reports why there is no connection, each cause once. It reports at once if there has not been a connection yet, so
 * that a wrong address is not taken for a slow network. Later it waits, because connections break and come back.
 */
export class Outage {
  private readonly reported = new Set<string>();
  private began = 0;
  private isFirst = true;
  private isOver = true;
  private count = 0; // counts outages, so that a late answer of an earlier one is ignored
  private asking = false;
  private roundOver = false;
  private cause: RinglineError | undefined;
  private stopTimer = (): void => {};

  /**
   * After `timeout` milliseconds every outage is reported; 0 means never. `whyNot` returns what prevents a connection to
   * a server.
   */
  constructor(
    private readonly servers: readonly string[],
    private readonly clock: Clock,
    private readonly timeout: number,
    private readonly whyNot: (server: string) => Promise<string>,
    private readonly report: (error: RinglineError) => void,
  ) {}

  /** There is no connection from now on. The last one lasted that long. */
  begin(lastedMs?: number): void {
    if (!this.isOver) return;
    this.isOver = false;
    if (lastedMs !== undefined && lastedMs >= stableAfter) this.reported.clear();
    this.began = this.clock.now();
    this.cause = undefined;
    this.roundOver = false;
    if (this.timeout > 0) this.stopTimer = this.clock.after(this.timeout, () => this.late());
  }

  /** There is a connection, or none is wanted. */
  end(isConnected: boolean): void {
    if (isConnected) this.isFirst = false;
    this.isOver = true;
    this.count++;
    this.stopTimer();
  }

  /**
   * An attempt failed. Another transport may still work, so only at the end of a round, in which every server was tried
   * with every transport, it is known that none does.
   */
  async failed(roundOver: boolean): Promise<void> {
    this.roundOver ||= roundOver;
    if (this.isOver || this.asking || (this.cause && !roundOver)) return;
    const { count, servers } = this;
    this.asking = true;
    const parts = await Promise.all(servers.map(async (s) => `${s}: ${await this.whyNot(s)}`));
    this.asking = false;
    if (this.count !== count || this.isOver) return;
    const cause = new RinglineError("unavailable", `no connection to ${parts.join(" | ")}`);
    if (this.roundOver) this.because(cause);
    else this.cause = cause;
  }

  /** The cause is known. */
  because(cause: RinglineError): void {
    if (this.isOver) return;
    this.cause = cause;
    if (this.isFirst || (this.timeout > 0 && this.clock.now() - this.began >= this.timeout)) this.tell(cause);
  }

  /** Reports a cause, unless it was reported. */
  tell(cause: RinglineError): void {
    if (this.isOver || this.reported.has(cause.message)) return;
    this.cause = cause;
    this.reported.add(cause.message);
    this.report(cause);
  }

  private late(): void {
    const { cause, timeout, servers } = this;
    const silence = `no connection to ${servers.join(" | ")}: no answer within ${timeout / 1000} s`;
    this.tell(cause ?? new RinglineError("unavailable", silence));
  }
}
