/**
 * Reads calls that a push did not contain, or whose push is in doubt. One read per call is in flight at a time. A call
 * that can't be read is left to the next snapshot.
 */
export class Reads {
  private readonly wanted = new Map<string, number>(); // the calls that are being read, with the seq to reach
  private readonly doubtful = new Set<string>();

  constructor(
    private readonly known: (callID: string) => number,
    private readonly get: (callID: string) => Promise<unknown>,
  ) {}

  /** Reads the call until that seq is known. */
  read(callID: string, seq: number): void {
    if (this.known(callID) >= seq) return;
    const waits = this.wanted.has(callID);
    this.wanted.set(callID, Math.max(seq, this.wanted.get(callID) ?? 0));
    if (waits) return;
    const over = (): number => {
      const wanted = this.wanted.get(callID) ?? 0;
      this.wanted.delete(callID);
      this.doubtful.delete(callID);
      return wanted;
    };
    this.get(callID).then(() => {
      const wanted = over();
      if (wanted > seq) this.read(callID, wanted);
    }, over);
  }

  /** Reads a call whose invitation came late, so that it may be over. */
  verify(callID: string, seq: number): void {
    this.doubtful.add(callID);
    this.read(callID, seq);
  }

  /** Whether the call is being verified. */
  verifies(callID: string): boolean {
    return this.doubtful.has(callID);
  }
}
