import assert from "node:assert/strict";
import { test } from "node:test";
import { showing } from "../src/calls/reducer.js";
import { at, call, callee, Device, endedCall } from "./world.js";

const ann = '{"userID":"ann","userName":"Ann"}';
const byAnn = { kind: "user", user_id: "ann" } as const;

/** A call whose callees are eve, with this entry, and bob, whose part is over. */
function eve(seq: number, entry: Parameters<typeof callee>[1], more = {}) {
  return call(seq, { callees: [callee("bob", { state: "declined" }), callee("eve", entry)], ...more });
}

const placeOf = (d: Device) => d.state.calls.get("c1")?.place;
const started = (how: string) => `onCallStarted(c1, room, {"callType":1,"how":"${how}"})`;

function shows(): Device {
  const d = new Device("eve", "e.1");
  d.push(eve(1, { data: "hi" }));
  return d;
}

test("an invitation is shown once and rings once", () => {
  const d = new Device("eve", "e.1");
  const c = eve(1, { data: "hi", user_name: "Eve" });
  assert.deepEqual(d.push(c, { ring_remaining_ms: 59_000 }), [
    `onIncomingCallReceived(c1, ${ann}, 1, [{"userID":"bob","userName":""},{"userID":"eve","userName":"Eve"}], hi)`,
    "ring(c1, 1)",
  ]);
  assert.deepEqual(d.push(c), []);
  assert.deepEqual(d.snapshot([c], ["c1"]), []);
  assert.deepEqual(d.push(eve(2, { state: "ringing" })), []);
  assert.deepEqual(showing(d.state), ["c1"]);
});

test("an invitation without remaining ring time is not shown, nor is its outcome", () => {
  const d = new Device("eve", "e.1");
  assert.deepEqual(d.push(eve(1, {}), { ring_remaining_ms: 0 }), []);
  assert.deepEqual(showing(d.state), []);
  assert.deepEqual(d.push(eve(2, { state: "timed_out", reason: "timed_out" })), []);
});

test("an older frame changes nothing", () => {
  const d = new Device("eve", "e.1");
  assert.deepEqual(d.push(eve(3, { state: "canceled", reason: "canceled" })), []);
  assert.deepEqual(d.push(eve(1, {})), [], "it has ended already, so it does not ring");
  assert.deepEqual(showing(d.state), []);
  const accepted = eve(3, { state: "accepted", device_id: "e.1" }, { state: "active" });
  const e = shows();
  e.answer(accepted);
  assert.deepEqual(e.push(eve(2, { state: "ringing" })), []);
  assert.equal(e.state.calls.get("c1")?.call.seq, 3);
});

test("canceled: with the custom data of the cancel", () => {
  const d = shows();
  const c = eve(2, { state: "canceled", reason: "canceled", data: "sorry" });
  assert.deepEqual(d.push(c, { user_id: "eve", by: byAnn }), [
    `onIncomingCallCanceled(c1, ${ann}, sorry)`,
    'onCallEnded(c1, room, {"reason":"canceled","by":{"kind":"user","userID":"ann"}})',
  ]);
  assert.deepEqual(d.push(c, { user_id: "eve", by: byAnn }), []);
  assert.deepEqual(showing(d.state), []);
});

test("canceled, known from a frame that does not name the actor", () => {
  assert.deepEqual(shows().snapshot([eve(2, { state: "canceled", reason: "canceled" })], ["c1"]), [
    `onIncomingCallCanceled(c1, ${ann}, "")`,
    'onCallEnded(c1, room, {"reason":"canceled"})',
  ]);
});

for (const [why, ended_by, end_reason, data] of [
  ["the caller", byAnn, "canceled", "hi"],
  ["a service", { kind: "service", service: "desk" }, "server_ended", "hi"],
  ["another party's leave", { kind: "user", user_id: "bob" }, "completed", '""'],
  ["its maximum duration", { kind: "timer" }, "expired", '""'],
] as const) {
  test(`canceled because the call ended: by ${why}`, () => {
    const entry = callee("eve", { state: "canceled", reason: "ended", at: at(5), data: "hi" });
    const got = shows().snapshot([endedCall(4, 5, end_reason, ended_by, [entry])], ["c1"]);
    assert.equal(got[0], `onIncomingCallCanceled(c1, ${ann}, ${data})`);
    assert.match(got[1] ?? "", /^onCallEnded\(c1, room, {"reason":"canceled","by":{"kind":/);
    assert.equal(got.length, 2);
  });
}

for (const reason of ["timed_out", "not_reached"] as const) {
  test(`timed out, with the reason ${reason}`, () => {
    assert.deepEqual(shows().push(eve(2, { state: "timed_out", reason }), { user_id: "eve", by: { kind: "timer" } }), [
      `onIncomingCallTimeout(c1, ${ann})`,
      'onCallEnded(c1, room, {"reason":"timed_out","by":{"kind":"timer"}})',
    ]);
  });
}

test("answered elsewhere, and no more callbacks of that call", () => {
  const d = shows();
  const entry = { state: "accepted", device_id: "e.2", at: at(3) } as const;
  assert.deepEqual(d.push(eve(2, entry, { state: "active" })), [
    `onIncomingCallAnsweredElsewhere(c1, ${ann})`,
    'onCallEnded(c1, room, {"reason":"answered_elsewhere","by":{"kind":"user","userID":"eve","deviceID":"e.2"}})',
  ]);
  assert.deepEqual(d.push(eve(3, { ...entry, state: "left", reason: "left", at: at(9) }, { state: "active" })), []);
});

test("answered elsewhere, known only after the end of the call", () => {
  const entry = callee("eve", { state: "left", reason: "ended", device_id: "e.2", at: at(9) });
  assert.deepEqual(shows().snapshot([endedCall(5, 9, "completed", byAnn, [entry])], ["c1"]), [
    `onIncomingCallAnsweredElsewhere(c1, ${ann})`,
    'onCallEnded(c1, room, {"reason":"answered_elsewhere","by":{"kind":"user","userID":"eve","deviceID":"e.2"}})',
  ]);
});

test("another device of the user that never showed the call makes no callback, and shows it as elsewhere until its end", () => {
  const d = new Device("eve", "e.3");
  assert.deepEqual(d.push(eve(2, { state: "accepted", device_id: "e.2" }, { state: "active" })), []);
  assert.equal(placeOf(d), "elsewhere");
  assert.deepEqual(showing(d.state), ["c1"], "a snapshot reports its end");
  const left = callee("eve", { state: "left", reason: "ended", device_id: "e.2", at: at(9) });
  assert.deepEqual(d.push(endedCall(3, 9, "completed", byAnn, [left])), []);
  assert.equal(placeOf(d), "nowhere");
});

test("accepted here: the answer makes it active at once, its push changes nothing, and the end calls back", () => {
  const d = shows();
  const accepted = eve(2, { state: "accepted", device_id: "e.1", at: at(3) }, { state: "active" });
  assert.deepEqual(d.answer(accepted, "accept"), [started("accepted")]);
  assert.deepEqual(d.push(accepted, { event: "incoming_call_answered_elsewhere", user_id: "eve" }), []);
  assert.deepEqual(showing(d.state), ["c1"]);
  const left = callee("eve", { state: "left", reason: "ended", device_id: "e.1", at: at(9) });
  assert.deepEqual(d.push(endedCall(3, 9, "completed", byAnn, [left])), [
    'onCallEnded(c1, room, {"reason":"completed","by":{"kind":"user","userID":"ann"}})',
  ]);
  assert.deepEqual(d.push(endedCall(3, 9, "completed", byAnn, [left])), []);
});

test("left: the call continues for the others, or ends", () => {
  const me = { kind: "user", user_id: "eve", device_id: "e.1" } as const;
  const accepted = eve(2, { state: "accepted", device_id: "e.1", at: at(3) }, { state: "active" });
  const goesOn = shows();
  goesOn.answer(accepted);
  const left = { state: "left", reason: "left", device_id: "e.1", at: at(9) } as const;
  assert.deepEqual(goesOn.push(eve(3, left, { state: "active" }), { user_id: "eve", by: me }), [
    'onCallEnded(c1, room, {"reason":"left","by":{"kind":"user","userID":"eve","deviceID":"e.1"}})',
  ]);
  const ends = shows();
  ends.answer(accepted);
  assert.deepEqual(ends.answer(endedCall(3, 9, "completed", me, [callee("eve", left)])), [
    'onCallEnded(c1, room, {"reason":"completed","by":{"kind":"user","userID":"eve","deviceID":"e.1"}})',
  ]);
  const later = shows();
  later.answer(accepted);
  assert.deepEqual(later.answer(endedCall(5, 20, "completed", byAnn, [callee("eve", left)])), [
    'onCallEnded(c1, room, {"reason":"left","by":{"kind":"user","userID":"eve"}})',
  ]);
});

for (const state of ["declined", "busy"] as const) {
  test(`${state}, here and elsewhere`, () => {
    const entry = { state, reason: state, device_id: "e.1" } as const;
    assert.deepEqual(shows().answer(eve(2, entry)), [
      `onCallEnded(c1, room, {"reason":"${state}","by":{"kind":"user","userID":"eve","deviceID":"e.1"}})`,
    ]);
    assert.deepEqual(shows().push(eve(2, { ...entry, device_id: "e.2" })), [
      `onIncomingCallDeclinedElsewhere(c1, ${ann})`,
      'onCallEnded(c1, room, {"reason":"declined_elsewhere","by":{"kind":"user","userID":"eve","deviceID":"e.2"}})',
    ]);
  });
}

test("invited again: the next attempt is shown, the previous one is not replayed", () => {
  const d = shows();
  assert.deepEqual(d.push(eve(5, { attempt: 2, data: "again" })), [
    `onIncomingCallReceived(c1, ${ann}, 1, [{"userID":"bob","userName":""},{"userID":"eve","userName":""}], again)`,
    "ring(c1, 2)",
  ]);
  assert.deepEqual(d.push(eve(6, { attempt: 2, state: "declined", device_id: "e.1" })).length, 1);
  assert.deepEqual(d.push(eve(7, { attempt: 3 })).length, 2, "shown a third time");
});

test("a call that the server no longer knows has ended", () => {
  const ringing = shows();
  assert.deepEqual(ringing.snapshot([], []), [], "it was not listed as showing");
  assert.deepEqual(ringing.snapshot([], ["c1"]), ['onCallEnded(c1, room, {"reason":"timed_out"})']);
  assert.deepEqual(ringing.snapshot([], ["c1"]), []);
  const active = shows();
  active.answer(eve(2, { state: "accepted", device_id: "e.1" }, { state: "active" }));
  assert.deepEqual(active.snapshot([], ["c1"]), ['onCallEnded(c1, room, {"reason":"completed"})']);
});

test("glare: an invitation that is answered with the call that rang makes that call active here", () => {
  const shown = shows();
  assert.deepEqual(shown.answer(eve(2, { state: "accepted", device_id: "e.1" }, { state: "active" }), "invite"), [started("glare")]);
  const unseen = new Device("eve", "e.1");
  assert.deepEqual(unseen.answer(eve(2, { state: "accepted", device_id: "e.1" }, { state: "active" }), "invite"), [started("glare")]);
  assert.deepEqual(showing(unseen.state), ["c1"]);
  assert.deepEqual(unseen.push(eve(1, {})), [], "the late invitation does not ring");
});

test("a call in which this user has no part is not shown", () => {
  assert.deepEqual(new Device("mal", "m.1").push(call(1)), []);
});

test("the number of remembered ended calls is bounded; shown calls stay", () => {
  const d = shows();
  for (let i = 0; i < 400; i++) d.push({ ...eve(1, { state: "canceled" }), call_id: `x${i}` });
  assert.ok(d.state.calls.size <= 257, `${d.state.calls.size} calls`);
  assert.deepEqual(showing(d.state), ["c1"]);
  assert.ok(d.state.calls.has("x399"));
});
