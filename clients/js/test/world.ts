import { initial, reduce, type NotificationWithCall, type State, type Step } from "../src/calls/reducer.js";
import type { Callback } from "../src/api/callbacks.js";
import type { Notification } from "../src/wire/read.js";
import type * as wire from "../src/wire/messages.js";

/** The time at a second of the test, in the format of the wire. */
export function at(second: number): string {
  return `2026-11-24T10:00:${String(second).padStart(2, "0")}.000Z`;
}

/** A callee with the custom data that applies to them in a call. */
export type TestCallee = wire.Callee & { data?: string };

export function callee(user_id: string, more: Partial<TestCallee> = {}): TestCallee {
  return { user_id, attempt: 1, invited_by: "ann", state: "invited", at: at(0), ...more };
}

/** The callees as on the wire, with their custom data in `custom`. */
function withData(list: readonly TestCallee[]): Pick<wire.View, "callees" | "custom"> {
  const custom: Record<string, string> = {};
  const callees = list.map(({ data, ...x }, i) => {
    if (data === undefined) return x;
    custom[i + 2] = data;
    return { ...x, custom_seq: i + 2 };
  });
  return Object.keys(custom).length > 0 ? { callees, custom } : { callees };
}

/** Ann on her device a.1 calls bob and eve. Nothing is hidden, so the version fits any of them. */
export function call(seq: number, more: Partial<wire.View> = {}): wire.View {
  return {
    call_id: "c1",
    app: "demo",
    room_id: "room",
    call_type: 1,
    state: "ringing",
    seq,
    caller: { user_id: "ann", user_name: "Ann", device_id: "a.1", state: "in", at: at(0) },
    created_at: at(0),
    expires_at: at(59),
    ...more,
    ...withData(more.callees ?? [callee("bob"), callee("eve")]),
  };
}

/** A call that ended at that second, after its caller left. */
export function endedCall(
  seq: number,
  second: number,
  end_reason: NonNullable<wire.View["end_reason"]>,
  ended_by: wire.By,
  callees: wire.Callee[],
): wire.View {
  const c = call(seq, { state: "ended", ended_at: at(second), end_reason, ended_by, callees });
  return { ...c, caller: { ...c.caller!, state: "left", at: at(second) } };
}

export function push(call: wire.View, more: Partial<Notification> = {}): NotificationWithCall {
  return {
    event: "call_ended",
    id: `${call.call_id}-${call.seq}-0`,
    call_id: call.call_id,
    seq: call.seq,
    by: { kind: "user", user_id: "ann" },
    server_time: at(0),
    ...more,
    call,
  } as NotificationWithCall;
}

/** Another notification of the same transition, which does not repeat the call. */
export function withoutCall(of: wire.View, more: Partial<Notification> = {}): Notification {
  const second = { event: "outgoing_call_timeout", id: `${of.call_id}-${of.seq}-1`, ...more };
  const { call: _, ...rest } = push(of, second as Partial<Notification>);
  return rest as Notification;
}

/** A device that receives frames and records its callbacks: `name(argument, …)`, and `ring(call, attempt)`. */
export class Device {
  state: State;

  constructor(userID: string, deviceID: string) {
    this.state = { ...initial, userID, deviceID };
  }

  push(call: wire.View, more: Partial<Notification> = {}): string[] {
    return this.take(reduce(this.state, { kind: "notification", notification: push(call, more), receivedAt: 1000 }));
  }

  answer(call: wire.View, verb = ""): string[] {
    return this.take(reduce(this.state, { kind: "answer", call, verb, receivedAt: 1000 }));
  }

  /** A single user is invited. */
  invites(callID: string, callee: string): void {
    this.take(reduce(this.state, { kind: "invites", callID, callee }));
  }

  accepts(attempt?: number): void {
    this.sends("accepts", attempt);
  }

  leaves(attempt?: number): void {
    this.sends("leaves", attempt);
  }

  takes(attempt?: number): void {
    this.sends("takes", attempt);
  }

  refused(): void {
    this.take(reduce(this.state, { kind: "refused", callID: "c1" }));
  }

  private sends(kind: "accepts" | "leaves" | "takes", attempt: number | undefined): void {
    const sent = { kind, callID: "c1" } as const;
    this.take(reduce(this.state, attempt === undefined ? sent : { ...sent, attempt }));
  }

  snapshot(calls: wire.View[], showing: string[] = [], ring_remaining_ms?: number): string[] {
    return this.snapshotAs(this.state.deviceID, calls, showing, ring_remaining_ms);
  }

  snapshotAs(device_id: string, calls: wire.View[], showing: string[], ring_remaining_ms?: number): string[] {
    const snapshot = {
      server_time: at(0),
      user_id: this.state.userID,
      device_id,
      calls: calls.map((call) => (ring_remaining_ms === undefined ? { call } : { call, ring_remaining_ms })),
    };
    return this.take(reduce(this.state, { kind: "snapshot", snapshot, showing, receivedAt: 1000 }));
  }

  private take(step: Step): string[] {
    this.state = step.state;
    return [...step.callbacks.map(format), ...step.commands.map((c) => `ring(${c.callID}, ${c.attempt})`)];
  }
}

export function format(c: Callback): string {
  return `${c.name}(${c.args.map((a) => (typeof a === "string" ? a || '""' : JSON.stringify(a))).join(", ")})`;
}
