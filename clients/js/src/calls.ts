import type { Seen } from "./facts.js";
import type { State } from "./reducer.js";
import { shownOf, type ShownCall } from "./shapes.js";

/** The calls that this device shows, as something to watch: it fits React's useSyncExternalStore and its like. */
export interface ObservableCalls {
  /** The calls shown here, in the order in which they came. The array is another one exactly when something has changed. */
  readonly current: readonly ShownCall[];
  /** Calls back after each change, until what it returns is called. */
  subscribe(listener: (calls: readonly ShownCall[]) => void): () => void;
}

/** What is shown of a state; a call that has not changed is the same object as before. */
export class ShownCalls {
  current: readonly ShownCall[] = Object.freeze([]);
  private known = new Map<string, { seen: Seen; shown: ShownCall }>();

  constructor(private readonly now: () => number) {}

  /** Says whether anything has changed. */
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
