import assert from "node:assert/strict";
import { test } from "node:test";
import { showing } from "../src/calls/reducer.js";
import { at, call, callee, Device, endedCall, type TestCallee } from "./world.js";

// How a device comes into a call and out of it: onCallStarted, elsewhere, taken, lost.

const started = (how: string) => `onCallStarted(c1, room, {"callType":1,"how":"${how}"})`;
const accepted = "onOutgoingCallAccepted(c1, bob)";
const placeOf = (d: Device) => d.state.calls.get("c1")?.place;
const byAnn = { kind: "user", user_id: "ann" } as const;

/** Ann's call, answered by bob. Her part of it is on that device. */
function answered(seq: number, device_id = "a.1", bob: Partial<TestCallee> = {}) {
  const { caller } = call(1);
  const entry = callee("bob", { state: "accepted", device_id: "b.1", at: at(3), ...bob });
  return call(seq, { state: "active", answered_at: at(3), caller: { ...caller!, device_id }, callees: [entry] });
}

function calls(): Device {
  const d = new Device("ann", "a.1");
  d.snapshot([]);
  d.answer(call(1, { callees: [callee("bob")] }), "invite");
  return d;
}

function rings(): Device {
  const d = new Device("bob", "b.1");
  d.snapshot([]);
  assert.equal(d.push(call(1, { callees: [callee("bob")] }), { ring_remaining_ms: 59_000 }).length, 2);
  return d;
}

test("answered: after onOutgoingCallAccepted, once, and not again in a snapshot or when others answer", () => {
  const d = calls();
  assert.deepEqual(d.push(answered(2)), [accepted, started("answered")]);
  assert.deepEqual(d.snapshot([answered(2)], ["c1"]), []);
  assert.deepEqual(d.push(answered(3, "a.1", { state: "left", reason: "left" })), ['onParticipantLeft(c1, bob)']);
});

test("answered, known from a later snapshot of the same client, or from the answer to a repeated invitation", () => {
  assert.deepEqual(calls().snapshot([answered(4)], ["c1"]), [accepted, started("answered")]);
  const d = new Device("ann", "a.1");
  d.snapshot([]);
  assert.deepEqual(d.answer(answered(4), "invite"), [accepted, started("answered")]);
});

test("a call that was answered and ended within a jump did not start here", () => {
  const left = callee("bob", { state: "left", reason: "left", device_id: "b.1", at: at(9) });
  const end = 'onCallEnded(c1, room, {"reason":"completed","by":{"kind":"user","userID":"bob"}})';
  assert.deepEqual(calls().push(endedCall(4, 9, "completed", { kind: "user", user_id: "bob" }, [left])), [accepted, end]);
});

test("accepted: from the answer, from the push, or from the snapshot after a reconnect", () => {
  for (const how of ["answer", "push", "snapshot"] as const) {
    const d = rings();
    d.accepts(1);
    const got = how === "snapshot" ? d.snapshot([answered(2)], ["c1"]) : d[how](answered(2));
    assert.deepEqual(got, [started("accepted")], how);
    assert.deepEqual(d.snapshot([answered(2)], ["c1"]), []);
  }
});

test("accepted by a backend for this device", () => {
  assert.deepEqual(rings().push(answered(2)), [started("accepted")]);
});

test("glare: known from the push, before the invitation is answered, also if the caller's call rang here", () => {
  for (const d of [rings(), new Device("bob", "b.1")]) {
    d.invites("c2", "ann");
    assert.deepEqual(d.push(answered(2), { event: "incoming_call_answered_elsewhere", user_id: "bob" }), [started("glare")]);
    assert.deepEqual(d.answer(answered(2), "invite"), []);
  }
});

test("no glare: this user accepted, or the own invitation was of another user or became a call of its own", () => {
  const pressed = rings();
  pressed.invites("c2", "ann");
  pressed.accepts(1);
  assert.deepEqual(pressed.push(answered(2)), [started("accepted")]);
  const other = rings();
  other.invites("c2", "eve");
  assert.deepEqual(other.push(answered(2)), [started("accepted")]);
  const own = rings();
  own.invites("c2", "ann");
  const { caller } = call(1);
  own.answer({ ...call(1, { callees: [callee("ann", { state: "busy", reason: "line_busy" })] }), call_id: "c2", caller: { ...caller!, user_id: "bob", device_id: "b.1" } });
  assert.deepEqual(own.push(answered(2)), [started("accepted")]);
});

test("restored: a new client finds itself in the call, and a reconnect of it changes nothing", () => {
  const caller = new Device("ann", "a.1");
  assert.deepEqual(caller.snapshot([answered(4)]), [accepted, started("restored")]);
  assert.deepEqual(caller.snapshot([answered(5)], ["c1"]), []);
  const bob = new Device("bob", "b.1");
  assert.deepEqual(bob.snapshot([answered(4)]), [started("restored")]);
  assert.deepEqual(bob.snapshot([answered(5)], ["c1"]), []);
});

test("a new client restores a call that rings; it is answered later", () => {
  const d = new Device("ann", "a.1");
  assert.deepEqual(d.snapshot([call(1, { callees: [callee("bob")] })]), []);
  assert.deepEqual(d.push(answered(2)), [accepted, started("answered")]);
});

test("invited and accepted again after leaving: it starts again", () => {
  const d = rings();
  d.accepts(1);
  d.answer(answered(2), "accept");
  assert.equal(d.push(answered(3, "a.1", { state: "left", reason: "left", at: at(5) })).length, 1);
  assert.equal(d.push(answered(4, "a.1", { state: "invited", attempt: 2, at: at(6) }), { ring_remaining_ms: 9 }).length, 2);
  d.accepts(2);
  assert.deepEqual(d.answer(answered(5, "a.1", { attempt: 2 }), "accept"), [started("accepted")]);
});

test("the caller's other devices and new tabs show the call as elsewhere, also while it rings, until it ends or a snapshot lacks it", () => {
  for (const version of [call(1, { callees: [callee("bob")] }), answered(2)]) {
    const d = new Device("ann", "a.2");
    assert.deepEqual(d.snapshot([version]), []);
    assert.equal(placeOf(d), "elsewhere");
    assert.deepEqual(showing(d.state), ["c1"]);
    assert.deepEqual(d.snapshot([], ["c1"]), []);
    assert.equal(placeOf(d), "nowhere");
  }
  const d = new Device("ann", "a.2");
  d.push(answered(2));
  assert.deepEqual(d.push(endedCall(3, 9, "completed", byAnn, [callee("bob", { state: "left", reason: "ended", at: at(9) })])), []);
  assert.equal(placeOf(d), "nowhere");
});

test("calls that are shown here are the last of the list", () => {
  const d = new Device("ann", "a.1");
  d.push({ ...answered(2, "a.1"), call_id: "c0" });
  d.push(answered(2, "a.2"));
  assert.deepEqual(showing(d.state), ["c1", "c0"]);
});

test("taken by the caller: it starts here, however the device learns it, and ends on the previous device", () => {
  for (const how of ["answer", "push", "snapshot"] as const) {
    const d = new Device("ann", "a.2");
    d.snapshot([answered(2)]);
    const taken = answered(3, "a.2");
    const got = how === "answer" ? d.answer(taken, "take") : how === "push" ? d.push(taken, { event: "call_taken" as never }) : d.snapshot([taken], ["c1"]);
    assert.deepEqual(got, [started("taken")], how);
    assert.equal(placeOf(d), "here");
    assert.deepEqual(d.push(answered(4, "a.2", { state: "left", reason: "left", at: at(9) })), ["onParticipantLeft(c1, bob)"]);
  }
  const unseen = new Device("ann", "a.2");
  unseen.snapshot([]);
  assert.deepEqual(unseen.answer(answered(3, "a.2"), "take"), [accepted, started("taken")]);
  const previous = calls();
  previous.push(answered(2));
  assert.deepEqual(previous.push(answered(3, "a.2"), { event: "call_taken" as never }), [
    'onCallEnded(c1, room, {"reason":"taken_elsewhere","by":{"kind":"user","userID":"ann","deviceID":"a.2"}})',
  ]);
  assert.equal(placeOf(previous), "elsewhere");
  assert.deepEqual(previous.push(answered(4, "a.1")), [started("taken")], "taken back");
});

test("taken while it rings: the previous device ends, and this one starts when it is answered", () => {
  const { caller } = call(1);
  const taken = call(2, { caller: { ...caller!, device_id: "a.2" }, callees: [callee("bob")] });
  assert.equal(calls().push(taken).length, 1);
  const d = new Device("ann", "a.2");
  d.snapshot([call(1, { callees: [callee("bob")] })]);
  assert.deepEqual(d.answer(taken, "take"), []);
  assert.deepEqual(d.push(answered(3, "a.2")), [accepted, started("answered")]);
});

test("taken by a callee: the previous device gets taken_elsewhere; a device where it rang gets answered_elsewhere", () => {
  const taken = answered(3, "a.1", { device_id: "b.2" });
  const previous = rings();
  previous.accepts(1);
  previous.answer(answered(2), "accept");
  const by = '"by":{"kind":"user","userID":"bob","deviceID":"b.2"}';
  assert.deepEqual(previous.push(taken), [`onCallEnded(c1, room, {"reason":"taken_elsewhere",${by}})`]);
  assert.deepEqual(rings().push(taken)[1], `onCallEnded(c1, room, {"reason":"answered_elsewhere",${by}})`);
  const next = new Device("bob", "b.2");
  next.snapshot([answered(2)]);
  assert.equal(placeOf(next), "elsewhere");
  assert.deepEqual(next.answer(taken, "take"), [started("taken")]);
});

test("lost: of a callee whose call continues or ends, and of a caller before and after an answer", () => {
  const by = { kind: "service", service: "presence" } as const;
  const actor = '"by":{"kind":"service","service":"presence"}';
  const isLost = { state: "left", reason: "lost" as never, device_id: "b.1", at: at(9) } as const;
  const inIt = () => {
    const d = rings();
    d.answer(answered(2), "accept");
    return d;
  };
  assert.deepEqual(inIt().push(answered(3, "a.1", isLost), { user_id: "bob", by }), [`onCallEnded(c1, room, {"reason":"lost",${actor}})`]);
  assert.deepEqual(inIt().snapshot([answered(3, "a.1", isLost)], ["c1"]), ['onCallEnded(c1, room, {"reason":"lost"})']);
  assert.deepEqual(inIt().push(endedCall(3, 9, "completed", by, [callee("bob", isLost)])), [`onCallEnded(c1, room, {"reason":"lost",${actor}})`]);
  const gone = (c: ReturnType<typeof call>) => ({ ...c, caller: { ...c.caller!, reason: "lost" as const } });
  const canceled = endedCall(2, 9, "canceled", by, [callee("bob", { state: "canceled", reason: "ended", at: at(9) })]);
  assert.deepEqual(calls().snapshot([gone(canceled)], ["c1"]), [`onCallEnded(c1, room, {"reason":"lost",${actor}})`]);
});

test("a client that gets another device id is in no call with it: calls here end, calls that ring stay", () => {
  const d = calls();
  d.push(answered(2));
  d.push({ ...call(1, { callees: [callee("ann")] }), call_id: "c2", caller: { ...call(1).caller!, user_id: "zoe" } }, { ring_remaining_ms: 9 });
  assert.deepEqual(d.snapshotAs("a.2", [answered(2)], ["c1"]), ['onCallEnded(c1, room, {"reason":"taken_elsewhere"})']);
  assert.deepEqual([...d.state.calls].map(([id, { place }]) => [id, place]).sort(), [["c1", "elsewhere"], ["c2", "here"]]);
});
