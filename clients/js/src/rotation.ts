/** How to reach a server. */
export type Transport = "websocket" | "http_stream" | "sse";

/** All of them, the best first. */
export const transports: readonly Transport[] = ["websocket", "http_stream", "sse"];

export interface Address {
  server: string;
  transport: Transport;
}

/** How long a connection must have lasted for the next failure to count as the first. */
const lasted = 5_000;
const shortestPause = 500;
const longestPause = 20_000;

/** In how many rounds a transport must have failed, and a lesser one worked, for the lesser to go before it. */
const enough = 2;

/**
 * Decides where to connect next, and after which pause. One round tries every server by the best transport, then by each
 * of the others, without pauses; between rounds the pause grows. A connection that is lost begins a round at the next
 * server. One round may fall back by accident, as an edge dies; where the best transport failed twice since it last
 * worked, the one that works goes first.
 */
export class Rotation {
  private first = 0; // the server that the next round begins with
  private works: Transport | undefined; // that of the last connection there was
  private readonly failed = new Map<Transport, number>(); // in so many rounds since it last worked another did
  private order: readonly Transport[] = []; // of this round
  private round: Address[] = [];
  private begun = false;
  private failures = 0;
  private address: Address | undefined;

  constructor(
    private readonly servers: readonly string[],
    private readonly allowed: readonly Transport[],
    private readonly random: () => number = Math.random,
  ) {}

  next(): { address: Address; pause: number } {
    let pause = 0;
    if (this.round.length === 0) {
      if (this.begun) pause = this.pause();
      this.begun = true;
      this.round = this.newRound();
    }
    const address = this.round.shift();
    if (!address) throw new Error("rotation: no server or no transport");
    this.address = address;
    return { address, pause };
  }

  connected(): void {
    const { address, order, failed } = this;
    if (!address) return;
    this.works = address.transport;
    failed.delete(this.works);
    for (const t of order.slice(0, order.indexOf(this.works))) failed.set(t, (failed.get(t) ?? 0) + 1);
  }

  /** A connection ended that lasted so many milliseconds. */
  lost(ms: number): void {
    if (ms >= lasted) this.failures = 0;
    this.beginAfter();
  }

  /** A server answered that it can't take us now: another transport would not help. */
  refused(): void {
    this.beginAfter();
  }

  private beginAfter(): void {
    const i = this.servers.indexOf(this.address?.server ?? "");
    this.first = (i + 1) % this.servers.length;
    this.round = [];
  }

  private newRound(): Address[] {
    const { works, first, failed, allowed } = this;
    const servers = [...this.servers.slice(first), ...this.servers.slice(0, first)];
    const best = works && allowed.find((t) => t === works || (failed.get(t) ?? 0) < enough);
    this.order = best ? [best, ...allowed.filter((t) => t !== best)] : allowed;
    return this.order.flatMap((transport) => servers.map((server) => ({ server, transport })));
  }

  /** Drawn at random, so that the clients of an edge that died don't all come at once. The first is short. */
  private pause(): number {
    const n = this.failures++;
    if (n === 0) return 50 + this.random() * (shortestPause - 50);
    return Math.min(longestPause, shortestPause + this.random() * shortestPause * 2 ** Math.min(n, 10));
  }
}
