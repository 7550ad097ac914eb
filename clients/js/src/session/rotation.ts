/** How to reach a server. */
export type Transport = "websocket" | "http_stream" | "sse";

/** All transports, in order of preference. */
export const transports: readonly Transport[] = ["websocket", "http_stream", "sse"];

export interface Address {
  server: string;
  transport: Transport;
}

/** A connection that lasted at least this long resets the pause after failures. */
const stableAfter = 5_000;
const shortestPause = 500;
const longestPause = 20_000;

/** After this many rounds in which a transport failed and a less preferred one worked, the latter goes first. */
const maxFailedRounds = 2;

/**
 * Decides where to connect next, and after which pause. A round tries every server with the best transport, then with
 * each of the others, without pauses. The pause between rounds grows. After a lost connection a new round begins at the
 * next server. One round may fall back by accident, for example when an edge dies. If the best transport failed twice
 * since it last worked, the one that works goes first.
 */
export class Rotation {
  private first = 0; // the first server of the next round
  private works: Transport | undefined; // the transport of the last connection
  private readonly failed = new Map<Transport, number>(); // rounds since the transport last worked in which another one did
  private order: readonly Transport[] = []; // of this round
  private round: Address[] = [];
  private started = false;
  private cut = false; // the round ended early, because a server answered
  private failures = 0;
  private address: Address | undefined;

  constructor(
    private readonly servers: readonly string[],
    private readonly allowed: readonly Transport[],
    private readonly random: () => number = Math.random,
  ) {}

  /** `roundOver`: every server was tried with every transport, and none answered. */
  next(): { address: Address; pause: number; roundOver: boolean } {
    let pause = 0;
    let roundOver = false;
    if (this.round.length === 0) {
      if (this.started) pause = this.pause();
      roundOver = this.started && !this.cut;
      this.started = true;
      this.cut = false;
      this.round = this.newRound();
    }
    const address = this.round.shift();
    if (!address) throw new Error("rotation: no server or no transport");
    this.address = address;
    return { address, pause, roundOver };
  }

  connected(): void {
    const { address, order, failed } = this;
    if (!address) return;
    this.works = address.transport;
    failed.delete(this.works);
    for (const t of order.slice(0, order.indexOf(this.works))) failed.set(t, (failed.get(t) ?? 0) + 1);
  }

  /** A connection ended after this many milliseconds. */
  lost(ms: number): void {
    if (ms >= stableAfter) this.failures = 0;
    this.startAtNextServer();
  }

  /** A server answered that it can't accept us now. Another transport would not help. */
  refused(): void {
    this.startAtNextServer();
  }

  private startAtNextServer(): void {
    const i = this.servers.indexOf(this.address?.server ?? "");
    this.first = (i + 1) % this.servers.length;
    this.round = [];
    this.cut = true;
  }

  private newRound(): Address[] {
    const { works, first, failed, allowed } = this;
    const servers = [...this.servers.slice(first), ...this.servers.slice(0, first)];
    const best = works && allowed.find((t) => t === works || (failed.get(t) ?? 0) < maxFailedRounds);
    this.order = best ? [best, ...allowed.filter((t) => t !== best)] : allowed;
    return this.order.flatMap((transport) => servers.map((server) => ({ server, transport })));
  }

  /** A random pause, so that the clients of a dead edge don't all reconnect at once. The first one is short. */
  private pause(): number {
    const n = this.failures++;
    if (n === 0) return 50 + this.random() * (shortestPause - 50);
    return Math.min(longestPause, shortestPause + this.random() * shortestPause * 2 ** Math.min(n, 10));
  }
}
