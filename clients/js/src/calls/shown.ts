import { pending } from "../wire/read.js";
import type { KnownCall } from "./known.js";
import type { State } from "./reducer.js";
import { callOf, type ShownCall } from "./shapes.js";

/**
 * The calls that this device shows, as an observable store. It works with React's useSyncExternalStore and similar
 * APIs.
 */
export interface ObservableCalls {
  /**
   * The calls shown here, and those that this user is in on another device, in order of arrival. The array is a new one
   * exactly when something has changed.
   */
  readonly current: readonly ShownCall[];
  /** Calls the listener after each change, until the returned function is called. */
  subscribe(listener: (calls: readonly ShownCall[]) => void): () => void;
}

/** The list of a client without calls: always the same array. */
export const noCalls: readonly ShownCall[] = /* @__PURE__ */ Object.freeze([]);

/** The shown calls of a state. A call that has not changed keeps its object. */
export class ShownCalls {
  current = noCalls;
  private known = new Map<string, { seen: KnownCall; shown: ShownCall }>();

  constructor(private readonly now: () => number) {}

  /** Reports whether anything has changed. */
  take(state: State): boolean {
    const next = new Map<string, { seen: KnownCall; shown: ShownCall }>();
    for (const [callID, seen] of state.calls) {
      const before = this.known.get(callID);
      const shown = before?.seen === seen ? before.shown : shownOf(seen, state.userID, this.now);
      if (shown) next.set(callID, { seen, shown });
    }
    this.known = next;
    const list = [...next.values()].map((x) => x.shown);
    if (list.length === this.current.length && list.every((x, i) => x === this.current[i])) return false;
    this.current = list.length === 0 ? noCalls : Object.freeze(list);
    return true;
  }
}

/** The shown form of a call; undefined if this device does not show it. `now` reads the clock of `receivedAt`. */
export function shownOf(seen: KnownCall, userID: string, now: () => number): ShownCall | undefined {
  const { call, place, ringEndsAt } = seen;
  if (place === "nowhere") return undefined;
  const own = call.callees.find((x) => x.user_id === userID);
  const rings = own ? pending(own) : call.state === "ringing";
  return {
    ...callOf(call),
    direction: own ? "incoming" : "outgoing",
    phase: place === "elsewhere" ? "elsewhere" : rings ? "ringing" : "active",
    ringRemaining: () => (ringEndsAt === undefined ? 0 : Math.max(0, Math.round(ringEndsAt - now()))),
  };
}
