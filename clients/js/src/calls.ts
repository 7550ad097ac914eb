import type { Seen } from "./facts.js";
import type { State } from "./reducer.js";
import { shownOf, type ShownCall } from "./shapes.js";

/**
 * The calls that this device shows, as an observable store. It works with React's useSyncExternalStore and similar
 * APIs.
 */
export interface ObservableCalls {
  /** The calls shown here, in order of arrival. The array is a new one exactly when something has changed. */
  readonly current: readonly ShownCall[];
  /** Calls the listener after each change, until the returned function is called. */
  subscribe(listener: (calls: readonly ShownCall[]) => void): () => void;
}

/** The shown calls of a state. A call that has not changed keeps its object. */
export class ShownCalls {
  current: readonly ShownCall[] = Object.freeze([]);
  private known = new Map<string, { seen: Seen; shown: ShownCall }>();

  constructor(private readonly now: () => number) {}

  /** Reports whether anything has changed. */
  take(state: State): boolean {
    const next = new Map<string, { seen: Seen; shown: ShownCall }>();
    for (const [callID, seen] of state.calls) {
      const before = this.known.get(callID);
      const shown = before?.seen === seen ? before.shown : shownOf(seen, state.userID, this.now);
      if (shown) next.set(callID, { seen, shown });
    }
    this.known = next;
    const list = [...next.values()].map((x) => x.shown);
    if (list.length === this.current.length && list.every((x, i) => x === this.current[i])) return false;
    this.current = Object.freeze(list);
    return true;
  }
}
