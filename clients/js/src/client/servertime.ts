import type { Clock } from "../platform/clock.js";
import type * as wire from "../wire/messages.js";
import { pending } from "../wire/read.js";

/** How much two clocks may drift apart, as a share of the time that passes. */
const drift = 2e-4;

/**
 * The server's clock, estimated from frames. The local clock may be wrong by hours. A frame arrives some time after its
 * `server_time`, so of two estimates the higher one is better. A frame that waited, for example in the socket of a
 * sleeping device, changes nothing.
 */
export class ServerTime {
  private ahead: number | undefined; // relative to our clock
  private at = 0; // when it was estimated, by our clock

  constructor(private readonly clock: Clock) {}

  /** Starts again with the reply to a connect request, which can't be older than the request. */
  start(serverTime: string): void {
    this.ahead = undefined;
    this.arrived(serverTime);
  }

  /** Takes the time of a frame, and returns how late the frame arrived, in milliseconds. */
  arrived(serverTime: string): number {
    const now = this.clock.now();
    const sent = Date.parse(serverTime);
    if (Number.isNaN(sent)) return 0;
    const known = this.ahead === undefined ? -Infinity : this.ahead - drift * (now - this.at);
    this.ahead = Math.max(known, sent - now);
    this.at = now;
    return this.ahead + now - sent;
  }

  /** Milliseconds since 1970; undefined before the first frame. */
  now(): number | undefined {
    return this.ahead === undefined ? undefined : this.ahead + this.clock.now();
  }

  /**
   * How long a call still rings for this user, for frames that don't say: until their own deadline while they are
   * pending, else until the latest deadline of the callees that they wait for.
   */
  remaining(call: wire.View, userID: string): number | undefined {
    const now = this.now();
    const own = call.callees.find((x) => x.user_id === userID);
    const calls = call.caller?.user_id === userID && call.caller.state === "in";
    const awaited = call.callees.filter((x) =>
      own && pending(own) ? x === own : calls || (own?.state === "accepted" && x.invited_by === userID),
    );
    const deadlines = awaited.filter((x) => pending(x) && x.ring_deadline).map((x) => Date.parse(x.ring_deadline ?? ""));
    return now === undefined || deadlines.length === 0 ? undefined : Math.max(0, Math.max(...deadlines) - now);
  }
}
