/**
 * Tells the server that this page is away while it is in a call, so that a closed socket does not count as a lost
 * device. A new session withdraws it, and so does `back`. Outside of a call nothing is sent. An older server does not
 * know these methods, and then nothing changes, so an error is of no interest.
 */
export class Away {
  private away = false;
  private sent = false;

  constructor(
    private readonly inCall: () => boolean,
    private readonly request: (method: "away" | "back") => Promise<unknown> | undefined,
  ) {}

  /** The page goes away or comes back. */
  set(away: boolean): void {
    this.away = away;
    this.update();
  }

  /** A new session: the server knows nothing of the page yet. */
  opened(): void {
    this.sent = false;
    this.update();
  }

  /** The session is over. */
  reset(): void {
    this.away = this.sent = false;
  }

  /** The page or its calls have changed. */
  update(): void {
    if (this.away && !this.sent && this.inCall()) this.send("away");
    else if (!this.away && this.sent) this.send("back");
  }

  private send(method: "away" | "back"): void {
    this.sent = method === "away";
    this.request(method)?.catch(() => {});
  }
}
