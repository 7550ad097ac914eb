import type { Callback } from "../api/callbacks.js";
import type * as wire from "../wire/messages.js";
import { dataOf, type Notification } from "../wire/read.js";
import { Entry, nothingSent, sentAbout, sentInvitation, withoutInvitation, withoutTake, type Sent, type Source } from "./entry.js";
import { advance, endMissing, endOfOldDevice, type Advance } from "./facts.js";
import type { KnownCall } from "./known.js";

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
  readonly sent: Sent;
  /** It has received a snapshot. */
  readonly isOpen: boolean;
}

export type NotificationWithCall = Notification & { call: wire.View };

/**
 * A frame. `receivedAt` is a time in milliseconds on a monotonic clock. The remaining ring time counts from it. `verb` is
 * that of the command that an answer answers.
 */
export type Frame =
  | { kind: "notification"; notification: NotificationWithCall; receivedAt: number }
  | { kind: "snapshot"; snapshot: wire.Snapshot; showing: readonly string[]; receivedAt: number }
  | { kind: "answer"; call: wire.View; verb?: string; ringRemainingMs?: number; receivedAt: number };

/** A frame, or what this client does: it invites a single user, accepts, leaves, takes, or is refused an invite or take. */
export type Input =
  | Frame
  | { kind: "invites"; callID: string; callee: string }
  | { kind: "refused"; callID: string }
  | { kind: "accepts" | "leaves" | "takes"; callID: string; attempt?: number };

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

export const initial: State = { userID: "", deviceID: "", calls: new Map(), sent: nothingSent, isOpen: false };

export function reduce(state: State, input: Input): Step {
  const { sent } = state;
  switch (input.kind) {
    case "notification":
      return notified(state, input.notification, input.receivedAt);
    case "answer": {
      const draft = new Draft(state, input.verb ?? "");
      draft.update(input.call, input.ringRemainingMs, input.receivedAt);
      return draft.step();
    }
    case "snapshot": {
      const draft = new Draft(state, "");
      draft.snapshot(input.snapshot, input.showing, input.receivedAt);
      return draft.step();
    }
    case "invites":
      return quiet({ ...state, sent: sentInvitation(sent, input.callID, input.callee) });
    case "refused":
      return quiet({ ...state, sent: withoutTake(withoutInvitation(sent, input.callID), input.callID) });
    case "accepts":
    case "leaves":
    case "takes":
      return quiet({ ...state, sent: sentAbout(sent, input.kind, input.callID, input.attempt) });
  }
}

function notified(state: State, notification: NotificationWithCall, receivedAt: number): Step {
  const { by, ring_remaining_ms, call, seq } = notification;
  const event: string = notification.event;
  const draft = new Draft(state, event === "call_taken" && seq === call.seq ? "take" : "");
  draft.update(withOwnData(notification), ring_remaining_ms, receivedAt, causedOwnOutcome(notification, state.userID) ? by : undefined);
  return draft.step();
}

function quiet(state: State): Step {
  return { state, callbacks: [], commands: [] };
}

/** A snapshot that does not mention some of its calls. */
export function without(input: Frame & { kind: "snapshot" }, callIDs: readonly string[]): Frame {
  const others = (callID: string): boolean => !callIDs.includes(callID);
  const calls = input.snapshot.calls.filter((x) => others(x.call.call_id));
  return { ...input, snapshot: { ...input.snapshot, calls }, showing: input.showing.filter(others) };
}

/**
 * The ids of the calls whose state this device needs in a snapshot, the most important last: those that this user is in
 * on another device, then those that it shows, each newest last.
 */
export function showing(state: State): string[] {
  const at = (place: KnownCall["place"]): string[] =>
    [...state.calls].filter(([, seen]) => seen.place === place).map(([callID]) => callID);
  return [...at("elsewhere"), ...at("here")];
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
  private sent: Sent;
  private isOpen: boolean;
  private source: Source = "message";
  private readonly calls: Map<string, KnownCall>;
  private readonly callbacks: Callback[] = [];
  private readonly commands: RingCommand[] = [];

  /** `verb`: of this client's command that the frame answers, or `take` if it reports that this user took the call. */
  constructor(
    state: State,
    private readonly verb: string,
  ) {
    this.userID = state.userID;
    this.deviceID = state.deviceID;
    this.sent = state.sent;
    this.isOpen = state.isOpen;
    this.calls = new Map(state.calls);
  }

  /** Ends come first: an app with room for one call must remove the old one before it shows the new one. */
  snapshot(snapshot: wire.Snapshot, asked: readonly string[], receivedAt: number): void {
    this.open(snapshot);
    const there = new Set(snapshot.calls.map((x) => x.call.call_id));
    for (const callID of asked) {
      const seen = this.calls.get(callID);
      if (seen && !there.has(callID)) this.put(callID, endMissing(seen));
    }
    const before = this.callbacks.splice(0);
    const groups = snapshot.calls.map(({ call, ring_remaining_ms }) => {
      this.update(call, ring_remaining_ms, receivedAt);
      return this.callbacks.splice(0);
    });
    const end = (group: Callback[]): number => group.map((c) => c.name).lastIndexOf("onCallEnded") + 1;
    this.callbacks.push(...before, ...groups.flatMap((g) => g.slice(0, end(g))), ...groups.flatMap((g) => g.slice(end(g))));
  }

  /** A client whose device id another page holds gets a new one. It is in no call with that one. */
  private open({ user_id, device_id }: wire.Snapshot): void {
    const isOther = this.isOpen && device_id !== this.deviceID;
    this.source = !this.isOpen || isOther ? "first snapshot" : "snapshot";
    this.isOpen = true;
    this.userID = user_id;
    this.deviceID = device_id;
    for (const [callID, seen] of isOther ? [...this.calls] : []) {
      const end = endOfOldDevice(seen, user_id);
      if (end) this.callbacks.push(end);
      if (end || seen.place === "elsewhere") this.calls.delete(callID); // the snapshot tells where it is now
    }
  }

  update(call: wire.View, remainingMs: number | undefined, receivedAt: number, by?: wire.By): void {
    const { userID, deviceID } = this;
    const before = this.calls.get(call.call_id);
    this.sent = withoutInvitation(this.sent, call.call_id);
    if (before && before.call.seq > call.seq) return;
    const ringEndsAt = remainingMs === undefined ? undefined : receivedAt + remainingMs;
    if (before && before.call.seq === call.seq) {
      // Only the ring time is new. A frame built later, on another clock or after a sleep, has a better value.
      if (ringEndsAt !== undefined) this.calls.set(call.call_id, { ...before, ringEndsAt });
      return;
    }
    const expired = remainingMs !== undefined && remainingMs <= 0;
    const entry = new Entry(this.sent, this.source, this.verb);
    const next = advance(before, { call, userID, deviceID, ringEndsAt, expired, by, entry });
    if (next.seen.place === "here") this.sent = withoutTake(this.sent, call.call_id);
    this.put(call.call_id, next);
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
      if (seen.place === "nowhere" && this.calls.delete(callID)) excess--;
    }
    const { userID, deviceID, calls, sent, isOpen } = this;
    return { state: { userID, deviceID, calls, sent, isOpen }, callbacks: this.callbacks, commands: this.commands };
  }
}
