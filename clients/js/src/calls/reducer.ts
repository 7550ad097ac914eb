import type { Callback } from "../api/callbacks.js";
import type * as wire from "../wire/messages.js";
import { dataOf, type Notification } from "../wire/read.js";
import { advance, endMissing, type Advance, type KnownCall } from "./facts.js";

/**
 * The state of the calls that this user's device has seen, and the one function that changes it. It has no clock and
 * does no I/O: an input returns the next state, the callbacks to make and the commands to send.
 *
 * It does not rely on the order of frames. Frames get lost, duplicated and reordered. For each call it keeps the newest
 * version by `seq` and drops older ones. Callbacks come from the difference between the known version and the newer
 * one, never from a frame's name. So each fact (call, callee, attempt, state) calls back exactly once, whichever frame
 * carries it, and a superseded attempt is not replayed.
 */
export interface State {
  readonly userID: string;
  readonly deviceID: string;
  readonly calls: ReadonlyMap<string, KnownCall>;
}

export type NotificationWithCall = Notification & { call: wire.View };

/** `receivedAt` is a time in milliseconds on a monotonic clock. The remaining ring time counts from it. */
export type Input =
  | { kind: "notification"; notification: NotificationWithCall; receivedAt: number }
  | { kind: "snapshot"; snapshot: wire.Snapshot; showing: readonly string[]; receivedAt: number }
  | { kind: "answer"; call: wire.View; ringRemainingMs?: number; receivedAt: number };

/** Reports to the server that this device rings, once for each attempt that it shows. */
export interface RingCommand {
  callID: string;
  attempt: number;
}

export interface Step {
  state: State;
  callbacks: Callback[];
  commands: RingCommand[];
}

/** The number of calls that are over here and still remembered, so that a late frame of one is not taken as new. */
const remembered = 256;

export const initial: State = { userID: "", deviceID: "", calls: new Map() };

export function reduce(state: State, input: Input): Step {
  const draft = new Draft(state);
  switch (input.kind) {
    case "notification": {
      const { by, ring_remaining_ms } = input.notification;
      draft.update(withOwnData(input.notification), ring_remaining_ms, input.receivedAt, causedOwnOutcome(input.notification, state.userID) ? by : undefined);
      break;
    }
    case "answer":
      draft.update(input.call, input.ringRemainingMs, input.receivedAt, undefined);
      break;
    case "snapshot":
      draft.snapshot(input.snapshot, input.showing, input.receivedAt);
      break;
  }
  return draft.step();
}

/** A snapshot that does not mention some of its calls. */
export function without(input: Input & { kind: "snapshot" }, callIDs: readonly string[]): Input {
  const others = (callID: string): boolean => !callIDs.includes(callID);
  const calls = input.snapshot.calls.filter((x) => others(x.call.call_id));
  return { ...input, snapshot: { ...input.snapshot, calls }, showing: input.showing.filter(others) };
}

/** The ids of the calls that this device shows, newest last. */
export function showing(state: State): string[] {
  return [...state.calls].filter(([, seen]) => seen.shown).map(([callID]) => callID);
}

/** Only in these cases `by` caused this user's own outcome. */
function causedOwnOutcome(n: NotificationWithCall, userID: string): boolean {
  return n.seq === n.call.seq && (n.user_id === userID || (n.user_id === undefined && n.event === "call_ended"));
}

/** The call of a notification, with the notification's own custom data, because the call omits what did not fit. */
function withOwnData({ call, seq, user_id, custom_data }: NotificationWithCall): wire.View {
  const about = call.callees.find((x) => x.user_id === user_id);
  if (!about || !custom_data || call.seq !== seq || dataOf(call, about) === custom_data) return call;
  const callees = call.callees.map((x) => (x === about ? { ...x, custom_seq: seq } : x));
  return { ...call, callees, custom: { ...call.custom, [seq]: custom_data } };
}

class Draft {
  private userID: string;
  private deviceID: string;
  private readonly calls: Map<string, KnownCall>;
  private readonly callbacks: Callback[] = [];
  private readonly commands: RingCommand[] = [];

  constructor(state: State) {
    this.userID = state.userID;
    this.deviceID = state.deviceID;
    this.calls = new Map(state.calls);
  }

  /** Ends come first: an app with room for one call must remove the old one before it shows the new one. */
  snapshot(snapshot: wire.Snapshot, asked: readonly string[], receivedAt: number): void {
    this.userID = snapshot.user_id;
    this.deviceID = snapshot.device_id;
    const there = new Set(snapshot.calls.map((x) => x.call.call_id));
    for (const callID of asked) {
      const seen = this.calls.get(callID);
      if (seen && !there.has(callID)) this.put(callID, endMissing(seen));
    }
    const before = this.callbacks.splice(0);
    const groups = snapshot.calls.map(({ call, ring_remaining_ms }) => {
      this.update(call, ring_remaining_ms, receivedAt, undefined);
      return this.callbacks.splice(0);
    });
    const ends = (group: Callback[]): boolean => group.some((c) => c.name === "onCallEnded");
    this.callbacks.push(...before, ...groups.filter(ends).flat(), ...groups.filter((g) => !ends(g)).flat());
  }

  update(call: wire.View, remainingMs: number | undefined, receivedAt: number, by: wire.By | undefined): void {
    const { userID, deviceID } = this;
    const before = this.calls.get(call.call_id);
    if (before && before.call.seq > call.seq) return;
    const ringEndsAt = remainingMs === undefined ? undefined : receivedAt + remainingMs;
    if (before && before.call.seq === call.seq) {
      // Only the ring time is new. A frame built later, on another clock or after a sleep, has a better value.
      if (ringEndsAt !== undefined) this.calls.set(call.call_id, { ...before, ringEndsAt });
      return;
    }
    const expired = remainingMs !== undefined && remainingMs <= 0;
    this.put(call.call_id, advance(before, { call, userID, deviceID, ringEndsAt, expired, by }));
  }

  private put(callID: string, next: Advance): void {
    this.calls.set(callID, next.seen);
    this.callbacks.push(...next.callbacks);
    if (next.ring !== undefined) this.commands.push({ callID, attempt: next.ring });
  }

  step(): Step {
    let excess = this.calls.size - remembered;
    for (const [callID, seen] of this.calls) {
      if (excess <= 0) break;
      if (!seen.shown && this.calls.delete(callID)) excess--;
    }
    return {
      state: { userID: this.userID, deviceID: this.deviceID, calls: this.calls },
      callbacks: this.callbacks,
      commands: this.commands,
    };
  }
}
