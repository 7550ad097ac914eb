import assert from "node:assert/strict";
import { test } from "node:test";
import { initial, reduce, showing } from "../src/calls/reducer.js";
import { shownOf } from "../src/calls/shown.js";
import { at, call, callee, Device, endedCall } from "./world.js";

const active = { state: "active", answered_at: at(2) } as const;
const byBob = { kind: "user", user_id: "bob", device_id: "b.1" } as const;

function calls(): Device {
  const d = new Device("ann", "a.1");
  assert.deepEqual(d.answer(call(1)), []);
  assert.deepEqual(showing(d.state), ["c1"]);
  return d;
}

test("ringing, then the outcome of each callee, once", () => {
  const d = calls();
  const ringing = call(2, { callees: [callee("bob", { state: "ringing" }), callee("eve")] });
  assert.deepEqual(d.push(ringing), ["onOutgoingCallRinging(c1, bob)"]);
  assert.deepEqual(d.push(ringing), []);
  assert.deepEqual(d.push(call(3, { callees: [callee("bob", { state: "ringing" }), callee("eve", { state: "ringing" })] })), [
    "onOutgoingCallRinging(c1, eve)",
  ]);
  const bob = callee("bob", { state: "accepted", device_id: "b.1" });
  assert.deepEqual(d.push(call(4, { ...active, callees: [bob, callee("eve", { state: "ringing" })] })), [
    "onOutgoingCallAccepted(c1, bob)",
    'onCallStarted(c1, room, {"callType":1,"how":"answered"})',
  ]);
  assert.deepEqual(d.push(call(5, { ...active, callees: [bob, callee("eve", { state: "declined" })] })), [
    "onOutgoingCallDeclined(c1, eve)",
  ]);
  assert.deepEqual(showing(d.state), ["c1"]);
});

test("lost frames: a newer one makes all callbacks, ringing only if it still rings", () => {
  const callees = [
    callee("bob", { state: "busy", reason: "busy", data: "in a meeting" }),
    callee("eve", { state: "timed_out", reason: "timed_out", data: "hi", at: at(9) }),
    callee("dan", { state: "canceled", reason: "canceled" }),
    callee("fay", { state: "ringing" }),
    callee("gil", { state: "timed_out", reason: "not_reached", data: "hi", at: at(5) }),
  ];
  assert.deepEqual(calls().push(call(9, { callees })), [
    "onOutgoingCallRejectedCauseBusy(c1, bob, in a meeting)",
    "onOutgoingCallTimeout(c1, eve, hi)",
    "onOutgoingCallRinging(c1, fay)",
    "onOutgoingCallTimeout(c1, gil, hi)",
  ]);
});

test("a last frame that makes all callbacks: the end is the last one, with its reason and its actor", () => {
  const callees = [
    callee("bob", { state: "left", reason: "left", at: at(9) }),
    callee("eve", { state: "declined", reason: "declined" }),
  ];
  const d = calls();
  assert.deepEqual(d.snapshot([endedCall(9, 9, "completed", byBob, callees)], ["c1"]), [
    "onOutgoingCallAccepted(c1, bob)",
    "onOutgoingCallDeclined(c1, eve)",
    'onCallEnded(c1, room, {"reason":"completed","by":{"kind":"user","userID":"bob","deviceID":"b.1"}})',
  ]);
  assert.deepEqual(showing(d.state), []);
  assert.deepEqual(d.push(call(4, { callees: [callee("bob", { state: "ringing" })] })), [], "older");
});

test("custom data that the call omits, because it did not fit, comes from the notification", () => {
  const callees = [callee("bob", { state: "busy", reason: "busy" }), callee("eve", { data: "of eve" })];
  assert.deepEqual(calls().push(call(3, { callees }), { event: "outgoing_call_rejected_cause_busy", user_id: "bob", custom_data: "in a meeting" }), [
    "onOutgoingCallRejectedCauseBusy(c1, bob, in a meeting)",
  ]);
});

test("all busy: the answer reports it, and the call has ended", () => {
  const callees = [callee("bob", { state: "busy", reason: "line_busy", data: "hi" })];
  const d = new Device("ann", "a.1");
  const over = endedCall(1, 0, "busy", { kind: "user", user_id: "ann", device_id: "a.1" }, callees);
  const want = [
    "onOutgoingCallRejectedCauseBusy(c1, bob, hi)",
    'onCallEnded(c1, room, {"reason":"busy","by":{"kind":"user","userID":"ann","deviceID":"a.1"}})',
  ];
  assert.deepEqual(d.answer(over), want);
  assert.deepEqual(d.push(over), []);
});

for (const end_reason of ["caller_busy", "merged", "failed"] as const) {
  test(`ended at creation, ${end_reason}: never shown`, () => {
    const c = endedCall(1, 0, end_reason, { kind: "user", user_id: "ann" }, [callee("bob", { state: "canceled", reason: "ended" })]);
    assert.deepEqual(new Device("ann", "a.1").answer(c), []);
    assert.deepEqual(new Device("bob", "b.1").push(c), []);
  });
}

test("the caller's other devices show nothing", () => {
  const d = new Device("ann", "a.2");
  assert.deepEqual(d.push(call(2, { callees: [callee("bob", { state: "accepted" })], ...active })), []);
  assert.deepEqual(d.push(endedCall(3, 9, "completed", byBob, [callee("bob", { state: "left", reason: "left" })])), []);
  assert.deepEqual(showing(d.state), []);
});

test("a callee who is invited again starts again", () => {
  const d = calls();
  d.push(call(2, { callees: [callee("bob", { state: "declined" }), callee("eve")] }));
  assert.deepEqual(d.push(call(3, { callees: [callee("bob", { attempt: 2 }), callee("eve")] })), []);
  assert.deepEqual(d.push(call(4, { callees: [callee("bob", { attempt: 2, state: "ringing" }), callee("eve")] })), [
    "onOutgoingCallRinging(c1, bob)",
  ]);
  assert.deepEqual(d.push(call(5, { callees: [callee("bob", { attempt: 2, state: "declined" }), callee("eve")] })), [
    "onOutgoingCallDeclined(c1, bob)",
  ]);
  assert.deepEqual(d.push(call(9, { callees: [callee("bob", { attempt: 3, state: "declined" }), callee("eve")] })), [
    "onOutgoingCallDeclined(c1, bob)",
  ]);
});

test("a user who left a call that continues gets its end, and nothing about others afterwards", () => {
  const d = calls();
  const bob = callee("bob", { state: "accepted", at: at(2) });
  d.push(call(2, { ...active, callees: [bob, callee("eve")] }));
  const out = { user_id: "ann", device_id: "a.1", state: "left", at: at(5) } as const;
  const me = { kind: "user", user_id: "ann", device_id: "a.1" } as const;
  const later = call(9, { ...active, caller: out, callees: [bob, callee("eve", { state: "declined", at: at(7) })] });
  assert.deepEqual(d.push(later, { user_id: "ann", by: me }), [
    'onCallEnded(c1, room, {"reason":"left","by":{"kind":"user","userID":"ann","deviceID":"a.1"}})',
  ]);
  assert.deepEqual(d.snapshot([endedCall(11, 9, "completed", byBob, [bob])], ["c1"]), []);
});

test("another party joins and leaves", () => {
  const d = calls();
  const bob = callee("bob", { state: "accepted", at: at(2) });
  d.push(call(2, { ...active, callees: [bob, callee("eve", { state: "accepted" })] }));
  const left = callee("bob", { state: "left", reason: "left", at: at(5) });
  const c = call(3, { ...active, callees: [left, callee("eve", { state: "accepted" })] });
  assert.deepEqual(d.push(c), ["onParticipantLeft(c1, bob)"]);
  assert.deepEqual(d.push({ ...c, seq: 4 }), []);
});

// bob accepted and has added gil; eve was invited by ann.
function bobIn(more: Parameters<typeof callee>[1], eve: Parameters<typeof callee>[1], seq: number) {
  return call(seq, {
    ...active,
    callees: [
      callee("bob", { state: "accepted", device_id: "b.1", at: at(2) }),
      callee("eve", eve),
      callee("gil", { invited_by: "bob", at: at(3), ...more }),
    ],
  });
}

test("a user who added a callee gets that callee's outcome, and joins and leaves of the others", () => {
  const d = new Device("bob", "b.1");
  d.answer(bobIn({}, {}, 4));
  assert.deepEqual(d.push(bobIn({ state: "ringing" }, { state: "ringing" }, 5)), ["onOutgoingCallRinging(c1, gil)"]);
  assert.deepEqual(d.push(bobIn({ state: "accepted", at: at(4) }, { state: "accepted", at: at(5) }, 7)), [
    "onOutgoingCallAccepted(c1, gil)",
    "onParticipantJoined(c1, eve)",
  ]);
  const gone = bobIn({ state: "accepted", at: at(4) }, { state: "left", reason: "left", at: at(6) }, 8);
  gone.caller!.state = "left";
  gone.caller!.at = at(7);
  assert.deepEqual(d.push(gone), ["onParticipantLeft(c1, ann)", "onParticipantLeft(c1, eve)"]);
});

test("the other devices of that user show none of it", () => {
  const d = new Device("bob", "b.2");
  d.answer(bobIn({}, {}, 4));
  assert.deepEqual(d.push(bobIn({ state: "declined", at: at(4) }, { state: "accepted", at: at(5) }, 7)), []);
});

test("a party who was in the call before this user did not join it", () => {
  const d = new Device("bob", "b.1");
  assert.deepEqual(d.answer(bobIn({}, { state: "accepted", at: at(1) }, 4)).length, 1);
  assert.deepEqual(d.push(bobIn({}, { state: "left", reason: "left", at: at(9) }, 5)), ["onParticipantLeft(c1, eve)"]);
});

// gil rings: bob invited them.
function gil(more: Parameters<typeof callee>[1], seq: number, bob: Parameters<typeof callee>[1] = {}, caller = {}) {
  const c = bobIn(more, {}, seq);
  return {
    ...c,
    caller: { ...c.caller!, ...caller },
    callees: c.callees.map((x) => (x.user_id === "bob" ? { ...x, ...bob } : x)),
  };
}

test("a callee who rings learns that the caller or their inviter left", () => {
  const d = new Device("gil", "g.1");
  assert.equal(d.push(gil({}, 3), { ring_remaining_ms: 9_000 }).length, 2);
  const left = { state: "left", at: at(5) } as const;
  assert.deepEqual(d.push(gil({}, 5, {}, left)), ["onParticipantLeft(c1, ann)"]);
  assert.deepEqual(d.push(gil({ state: "ringing" }, 6, {}, left)), []);
  assert.deepEqual(d.push(gil({ state: "ringing" }, 7, { ...left, at: at(7) }, left)), ["onParticipantLeft(c1, bob)"]);
  assert.deepEqual(d.push(gil({ state: "accepted", device_id: "g.1", at: at(9) }, 9, { ...left, at: at(7) }, left)), [
    'onCallStarted(c1, room, {"callType":1,"how":"accepted"})',
  ]);
});

test("a callee who answered meanwhile learns that the caller and their inviter left before and after", () => {
  const d = new Device("gil", "g.1");
  d.push(gil({}, 3), { ring_remaining_ms: 9_000 });
  const mine = { state: "accepted", device_id: "g.1", at: at(6) } as const;
  assert.deepEqual(d.push(gil(mine, 7, { state: "left", at: at(7) }, { state: "left", at: at(5) })), [
    "onParticipantLeft(c1, ann)",
    'onCallStarted(c1, room, {"callType":1,"how":"accepted"})',
    "onParticipantLeft(c1, bob)",
  ]);
});

test("a callee who rings learns that their inviter left and was invited again", () => {
  const d = new Device("gil", "g.1");
  d.push(gil({}, 3), { ring_remaining_ms: 9_000 });
  assert.deepEqual(d.push(gil({}, 9, { attempt: 2, state: "invited", at: at(8) })), ["onParticipantLeft(c1, bob)"]);
});

test("a pending callee gets no other callbacks about others", () => {
  const d = new Device("eve", "e.1");
  assert.equal(d.push(bobIn({}, {}, 4)).length, 2);
  assert.deepEqual(d.push(bobIn({ state: "declined", at: at(9) }, {}, 5)), []);
});

test("the remaining time counts from its frame, and that of a later frame replaces it", () => {
  let now = 1000;
  const d = new Device("ann", "a.1");
  const shown = () => shownOf(d.state.calls.get("c1")!, "ann", () => now)!;
  d.push(call(2), { ring_remaining_ms: 30_000 });
  assert.equal(shown().ringRemaining(), 30_000);
  now = 5000;
  assert.equal(shown().ringRemaining(), 26_000);
  d.snapshot([call(2)], ["c1"], 20_000); // received at 1000 too
  assert.equal(shown().ringRemaining(), 16_000);
  now = 90_000;
  assert.equal(shown().ringRemaining(), 0);
  assert.equal(shown().phase, "ringing");
  assert.equal(shown().direction, "outgoing");
});

test("reduce does not change the previous state", () => {
  const input = { kind: "answer", call: call(1), receivedAt: 0 } as const;
  const before = { ...initial, userID: "ann", deviceID: "a.1" };
  const first = reduce(before, input);
  assert.equal(before.calls.size, 0);
  assert.equal(first.state.calls.size, 1);
  reduce(first.state, { ...input, call: call(2, { callees: [callee("bob", { state: "ringing" })] }) });
  assert.equal(first.state.calls.get("c1")?.call.seq, 1);
});
