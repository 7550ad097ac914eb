import type { Clock } from "../platform/clock.js";
import type * as wire from "../wire/messages.js";
import { pending } from "../wire/read.js";

/** The server's clock, estimated from the last frame. The local clock may be wrong by hours. */
export class ServerTime {
  private ahead: number | undefined; // relative to our monotonic clock

  constructor(private readonly clock: Clock) {}

  update(serverTime: string): void {
    const at = Date.parse(serverTime);
    if (!Number.isNaN(at)) this.ahead = at - this.clock.now();
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
