import type { CallEnd } from "../api/callbacks.js";
import type { ShownCall } from "../calls/shapes.js";
import type { RinglineClient } from "../client/client.js";
import type { Clock } from "../platform/clock.js";
import {
  activeCard,
  dialedCard,
  incomingCard,
  incomingOutcome,
  outgoingCard,
  outgoingOutcome,
  rowsOf,
  type ActiveCard,
  type CalleeProgress,
  type Dialed,
  type IncomingCard,
  type OutgoingCard,
  type Outcome,
} from "./cards.js";

/** What the elements show. */
export interface Cards {
  incoming: readonly IncomingCard[];
  outgoing: readonly OutgoingCard[];
  active: readonly ActiveCard[];
}

export const noCards: Cards = { incoming: [], outgoing: [], active: [] };

type Client = Pick<RinglineClient, "calls" | "on" | "userID">;
type Ended = { [K in keyof Cards]: { where: K; card: Cards[K][number] } }[keyof Cards];

/** How long the outcome of an ended call is shown, in milliseconds. */
export const outcomeShownFor = 4_000;

/**
 * The cards of a client's calls: the shown calls, the calls that are being made, and for some seconds the ended calls
 * with their outcomes. It watches its client while it has watchers.
 */
export class Board {
  current: Cards = noCards;
  private readonly watchers = new Set<() => void>();
  private readonly dialed = new Map<string, Dialed>();
  private last = new Map<string, ShownCall>(); // the last shown versions; a call that is gone stays until its end is reported
  private facts = new Map<string, Map<string, CalleeProgress>>(); // progress of callees according to the events of this moment
  private drawn: ReadonlySet<string> = new Set(); // the calls in `current`
  private endedCards = new Map<string, Ended>();
  private stops: (() => void)[] = [];
  private isStale = false;

  constructor(
    private readonly client: Client,
    private readonly clock: Clock,
  ) {}

  /** Calls the watcher after changes, once per moment, until the returned function is called. */
  subscribe(watcher: () => void): () => void {
    const own = (): void => watcher(); // the same watcher may be added twice
    this.watchers.add(own);
    if (this.watchers.size === 1) this.watch();
    return () => {
      if (this.watchers.delete(own) && this.watchers.size === 0) this.unwatch();
    };
  }

  /** Shows a call that is being made, until the returned function is called. */
  showDialed(dialed: Dialed): () => void {
    this.endedCards.clear(); // the outcome of an earlier call is outdated
    this.dialed.set(dialed.callID, dialed);
    this.changed();
    return () => {
      this.dialed.delete(dialed.callID);
      this.changed();
    };
  }

  /** Notifies the watchers after all events of this moment. */
  changed(): void {
    if (this.isStale || this.watchers.size === 0) return;
    this.isStale = true;
    void Promise.resolve().then(() => {
      this.isStale = false;
      this.refresh();
      for (const watcher of [...this.watchers]) watcher();
    });
  }

  private watch(): void {
    const { client } = this;
    const record = (progress: CalleeProgress) => (callID: string, calleeID: string) => {
      const facts = this.facts.get(callID) ?? new Map<string, CalleeProgress>();
      this.facts.set(callID, facts.set(calleeID, progress));
    };
    this.stops = [
      client.calls.subscribe((calls) => {
        this.remember(calls);
        this.changed();
      }),
      client.on("outgoingCallAccepted", record("accepted")),
      client.on("outgoingCallDeclined", record("declined")),
      client.on("outgoingCallRejectedCauseBusy", record("busy")),
      client.on("outgoingCallTimeout", record("no_answer")),
      client.on("callEnded", (callID, _, end) => this.ended(callID, end)),
      client.on("connectionStateChanged", () => this.changed()),
    ];
    this.remember(client.calls.current);
    this.refresh();
  }

  /** A call that continues on another device stays as it was here until its end is reported. */
  private remember(calls: readonly ShownCall[]): void {
    for (const call of calls) if (call.phase !== "elsewhere") this.last.set(call.callID, call);
  }

  private unwatch(): void {
    for (const stop of this.stops) stop();
    this.stops = [];
    this.last.clear();
    this.facts.clear();
    this.endedCards.clear();
    this.drawn = new Set();
    this.current = noCards;
  }

  private ended(callID: string, end: CallEnd): void {
    const over = this.outcome(callID, end);
    if (over) {
      this.endedCards.set(callID, over);
      const stop = this.clock.after(outcomeShownFor, () => {
        this.stops = this.stops.filter((s) => s !== stop);
        if (this.endedCards.get(callID) === over) this.endedCards.delete(callID);
        this.changed();
      });
      this.stops.push(stop);
    }
    this.changed();
  }

  private outcome(callID: string, { reason, by }: CallEnd): Ended | undefined {
    const { userID } = this.client;
    const call = this.last.get(callID);
    const active = call && activeCard(call, userID);
    if (active) {
      const own = reason === "left" || reason === "taken_elsewhere" || (by?.kind === "user" && by.userID === userID);
      return own ? undefined : { where: "active", card: { ...active, outcome: reason === "lost" ? "lost" : "ended" } };
    }
    if (call?.direction === "incoming") {
      const card = incomingCard(call, userID);
      const outcome = incomingOutcome(reason);
      return card && outcome && { where: "incoming", card: { ...card, outcome } };
    }
    const outcome = outgoingOutcome(reason);
    return outcome && this.unanswered(callID, call, outcome);
  }

  /** If all callees are busy, the answer to the invitation ends the call. It was only shown as being made. */
  private unanswered(callID: string, call: ShownCall | undefined, outcome: Outcome): Ended | undefined {
    const dialed = this.dialed.get(callID);
    const card = call ? { callID, callType: call.callType, rows: rowsOf(call.callees) } : dialed && dialedCard(dialed);
    if (!card) return undefined;
    const facts = this.facts.get(callID);
    const rows = card.rows.map((row) => {
      const pending = row.progress === "calling" || row.progress === "ringing";
      return { ...row, progress: facts?.get(row.userID) ?? (pending ? "canceled" : row.progress) };
    });
    return { where: "outgoing", card: { ...card, rows, outcome } };
  }

  private refresh(): void {
    const { client, dialed, endedCards } = this;
    const calls = client.calls.current.filter((c) => c.phase !== "elsewhere" || !endedCards.has(c.callID));
    const shown = new Set(calls.map((c) => c.callID));
    if (calls.some((c) => !this.drawn.has(c.callID))) endedCards.clear();
    this.drawn = shown;
    const dialing = [...dialed.values()].filter((d) => !shown.has(d.callID) && !endedCards.has(d.callID));
    this.current = {
      incoming: [...calls.flatMap((c) => incomingCard(c, client.userID) ?? []), ...this.endedOf("incoming")],
      outgoing: [...calls.flatMap((c) => outgoingCard(c) ?? []), ...dialing.map(dialedCard), ...this.endedOf("outgoing")],
      active: [...calls.flatMap((c) => activeCard(c, client.userID) ?? []), ...this.endedOf("active")],
    };
    this.last.clear();
    this.remember(calls);
    this.facts.clear();
  }

  private endedOf<K extends keyof Cards>(where: K): Cards[K][number][] {
    return [...this.endedCards.values()].flatMap((x) => (x.where === where ? [x.card as Cards[K][number]] : []));
  }
}
