import { systemClock, type Clock } from "../platform/clock.js";
import { randomID } from "../platform/random.js";

/** Turns of the tabs of a browser: one tab has its turn at a time. */
export interface Turns {
  /** Waits for the turn. Resolves with a function that ends it. Rejects when the signal aborts. */
  take(signal: AbortSignal): Promise<() => void>;
  /** Whether any tab has its turn. */
  areTaken(): Promise<boolean>;
}

/** Uses web locks. On an insecure page, which has none, the tabs use a channel. */
export function turnsOf(name: string): Turns {
  if (typeof navigator !== "undefined" && navigator.locks) return lockTurns(name);
  if (typeof BroadcastChannel !== "undefined") return new ChannelTurns(() => new BroadcastChannel(name), systemClock);
  return { take: () => Promise.resolve(() => {}), areTaken: () => Promise.resolve(false) };
}

function lockTurns(name: string): Turns {
  return {
    take: (signal) =>
      new Promise((resolve, reject) => {
        navigator.locks.request(name, { signal }, () => new Promise<void>((over) => resolve(over))).catch(reject);
      }),
    areTaken: async () => (await navigator.locks.query()).held?.some((lock) => lock.name === name) ?? false,
  };
}

/** The required part of a BroadcastChannel. */
export interface Channel {
  postMessage(data: TurnMessage): void;
  close(): void;
  onmessage: ((event: MessageEvent<TurnMessage>) => void) | null;
}

interface TurnMessage {
  tab: string;
  says: "wait" | "have" | "over";
}

/**
 * How often a tab reports its state, and how long the report of a silent tab is valid, in milliseconds. A timer of a
 * hidden tab fires once a second.
 */
const sendEvery = 400;
const validFor = 2_500;

/** The tab that has the turn keeps it. The next is the waiting tab with the smallest id. */
export class ChannelTurns implements Turns {
  constructor(
    private readonly open: () => Channel,
    private readonly clock: Clock,
    private readonly tab = randomID(8),
  ) {}

  take(signal: AbortSignal): Promise<() => void> {
    const { clock, tab } = this;
    return new Promise((resolve, reject) => {
      const others = new Others(clock);
      const channel = this.open();
      let has = false;
      let stopTimer = (): void => {};
      const send = (): void => channel.postMessage({ tab, says: has ? "have" : "wait" });
      const end = (): void => {
        stopTimer();
        channel.onmessage = null;
        channel.postMessage({ tab, says: "over" });
        channel.close();
      };
      const check = (): void => {
        if (!has && !others.precede(tab)) {
          has = true;
          resolve(end);
        }
        send();
        stopTimer = clock.after(sendEvery, check);
      };
      channel.onmessage = ({ data }) => {
        const isNew = others.receive(data);
        if (isNew) send();
      };
      signal.addEventListener("abort", () => {
        if (has) return;
        end();
        reject(new Error("aborted"));
      });
      send();
      stopTimer = clock.after(sendEvery, check);
    });
  }

  async areTaken(): Promise<boolean> {
    const others = new Others(this.clock);
    const channel = this.open();
    channel.onmessage = ({ data }) => void others.receive(data);
    await new Promise<void>((resolve) => this.clock.after(2 * sendEvery, resolve));
    channel.close();
    return others.have();
  }
}

class Others {
  private readonly tabs = new Map<string, { has: boolean; at: number }>();

  constructor(private readonly clock: Clock) {}

  /** Reports whether that tab is new. */
  receive({ tab, says }: TurnMessage): boolean {
    const isNew = !this.tabs.has(tab);
    if (says === "over") this.tabs.delete(tab);
    else this.tabs.set(tab, { has: says === "have", at: this.clock.now() });
    return isNew && says !== "over";
  }

  have(): boolean {
    return this.live().some(([, { has }]) => has);
  }

  precede(tab: string): boolean {
    return this.live().some(([other, { has }]) => has || other < tab);
  }

  private live(): [string, { has: boolean; at: number }][] {
    return [...this.tabs].filter(([, { at }]) => this.clock.now() - at < validFor);
  }
}
