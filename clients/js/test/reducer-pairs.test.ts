import assert from "node:assert/strict";
import { test } from "node:test";
import { at, call, callee, Device, endedCall, type TestCallee } from "./world.js";

// onCallStarted and onCallEnded of a call alternate on a device, whatever versions of the call it misses.

const byBob = { kind: "user", user_id: "bob" } as const;
const started = (how: string) => `onCallStarted(c1, room, {"callType":1,"how":"${how}"})`;
const ended = (reason: string, by = "") => `onCallEnded(c1, room, {"reason":"${reason}"${by}})`;
const leftByBob = ended("left", ',"by":{"kind":"user","userID":"bob"}');

/** Ann's call, with bob's part in it. */
function active(seq: number, bob: Partial<TestCallee> = {}) {
  return call(seq, { state: "active", answered_at: at(3), callees: [callee("bob", { state: "accepted", device_id: "b.1", at: at(3), changed_seq: 2, ...bob })] });
}

/** Bob's device, in the call that it accepted. */
function isIn(bob: Partial<TestCallee> = {}): Device {
  const d = new Device("bob", "b.1");
  d.snapshot([]);
  d.push(call(1, { callees: [callee("bob")] }), { ring_remaining_ms: 59_000 });
  d.accepts(1);
  assert.deepEqual(d.answer(active(2, bob), "accept"), [started("accepted")]);
  return d;
}

const again = active(5, { state: "invited", device_id: undefined as never, attempt: 2, at: at(6), changed_seq: 5 });
const received = /^onIncomingCallReceived\(c1, /;

test("offline for 70 s, dropped, added again: the call ends with lost before it rings again, and starts once more", () => {
  const d = isIn({ watched: true });
  const [end, rings, ring] = d.snapshot([again], ["c1"], 20_000);
  assert.deepEqual([end, ring], [ended("lost"), "ring(c1, 2)"]);
  assert.match(rings!, received);
  d.accepts(2);
  assert.deepEqual(d.answer(active(6, { attempt: 2, changed_seq: 6 }), "accept"), [started("accepted")]);
});

test("left and added again: the reason is left, if this client left, if presence did not watch it, or without an outage", () => {
  const left = isIn({ watched: true });
  left.leaves(1);
  assert.deepEqual(left.snapshot([again], ["c1"], 20_000)[0], leftByBob);
  assert.deepEqual(isIn().snapshot([again], ["c1"], 20_000)[0], leftByBob);
  assert.deepEqual(isIn({ watched: true }).push(again, { ring_remaining_ms: 20_000, by: { kind: "user", user_id: "ann" } })[0], leftByBob);
});

test("out and in again within a jump: it ends, then it starts", () => {
  assert.deepEqual(isIn().push(active(6, { attempt: 2, changed_seq: 6 })), [leftByBob, started("accepted")]);
});

test("out, and the next attempt is over, elsewhere or without ring time: it ends once, and nothing of that attempt is reported", () => {
  const over: Partial<TestCallee>[] = [
    { state: "timed_out", reason: "timed_out" },
    { state: "canceled", reason: "canceled" },
    { state: "declined", reason: "declined", device_id: "b.2" },
    { state: "busy", reason: "line_busy" },
    { state: "left", reason: "left" },
    { state: "accepted", device_id: "b.2" },
  ];
  for (const bob of over) assert.deepEqual(isIn().push(active(7, { attempt: 2, at: at(9), changed_seq: 7, ...bob })), [leftByBob], bob.state);
  const end = endedCall(7, 9, "completed", byBob, [callee("bob", { attempt: 2, state: "left", reason: "ended", device_id: "b.1", at: at(9) })]);
  assert.deepEqual(isIn().push(end), [leftByBob]);
  const d = isIn();
  assert.deepEqual(d.snapshot([again], ["c1"], 0), [leftByBob]);
  assert.deepEqual(d.push({ ...again, seq: 6, callees: [callee("bob", { attempt: 2, state: "timed_out", reason: "timed_out" })] }), []);
});

test("a call that only rang stays shown in its next attempt, and ends once", () => {
  const d = new Device("bob", "b.1");
  d.push(call(1, { callees: [callee("bob")] }), { ring_remaining_ms: 9 });
  assert.match(d.push(again, { ring_remaining_ms: 9 })[0]!, received);
});

test("taken by another device and taken back within a jump: it ends, and starts as taken", () => {
  assert.deepEqual(isIn().snapshot([active(6, { changed_seq: 6 })], ["c1"]), [ended("taken_elsewhere"), started("taken")]);
  assert.deepEqual(isIn().push(active(6)), [], "others changed");
  for (const [known, newer] of [[2, undefined], [undefined, 6], [undefined, undefined]] as never[][]) {
    assert.deepEqual(isIn({ changed_seq: known! }).push(active(6, { changed_seq: newer! })), [], "an older server");
  }
  const ann = (seq: number, changed_seq: number, state: "ringing" | "active" = "active") => {
    const version = state === "active" ? active(seq) : call(seq, { callees: [callee("bob")] });
    return { ...version, caller: { ...version.caller!, changed_seq } };
  };
  const d = new Device("ann", "a.1");
  d.snapshot([]);
  d.answer(ann(1, 1, "ringing"), "invite");
  assert.deepEqual(d.push(ann(2, 1)), ["onOutgoingCallAccepted(c1, bob)", started("answered")]);
  assert.deepEqual(d.snapshot([ann(4, 4)], ["c1"]), [ended("taken_elsewhere"), started("taken")]);
  const unanswered = new Device("ann", "a.1");
  unanswered.answer(ann(1, 1, "ringing"), "invite");
  assert.deepEqual(unanswered.push(ann(3, 3, "ringing")), [], "it had not started");
});

test("in a snapshot, what ends comes before what rings, also of one call", () => {
  const d = isIn();
  const other = { ...call(1, { callees: [callee("bob")] }), call_id: "c2" };
  d.push(other, { ring_remaining_ms: 9 });
  const over = { ...endedCall(2, 9, "canceled", { kind: "user", user_id: "ann" }, [callee("bob", { state: "canceled", reason: "ended", at: at(9) })]), call_id: "c2" };
  assert.deepEqual(d.snapshot([again, over], ["c1", "c2"], 9).map((c) => c.slice(0, c.indexOf(","))), [
    "onCallEnded(c1", "onIncomingCallCanceled(c2", "onCallEnded(c2", "onIncomingCallReceived(c1", "ring(c1",
  ]);
});

test("taken by a client that does not know the call: taken, whatever frame brings it first", () => {
  const caller = (seq: number) => ({ ...active(seq), caller: { ...call(1).caller!, device_id: "a.2" } });
  for (const [user, device, version] of [["ann", "a.2", caller(5)], ["bob", "b.2", active(5, { device_id: "b.2", changed_seq: 4 })]] as const) {
    for (const how of ["answer", "push", "snapshot"] as const) {
      const d = new Device(user, device);
      d.snapshot([]);
      d.invites("c9", "ann"); // no glare
      d.takes();
      const got = how === "answer" ? d.answer(version, "get") : how === "push" ? d.push(version) : d.snapshot([version]);
      assert.deepEqual(got.at(-1), started("taken"), `${user}, ${how}`);
    }
  }
});

test("a take is forgotten when the server refuses it, and when the call is here", () => {
  const refused = new Device("bob", "b.1");
  refused.snapshot([]);
  refused.takes();
  refused.refused();
  assert.deepEqual(refused.push(active(2)), [started("accepted")]);
  const d = new Device("bob", "b.1");
  d.snapshot([]);
  d.takes();
  assert.deepEqual(d.push(active(4, { changed_seq: 4 })), [started("taken")]);
  assert.deepEqual(d.push(active(6, { attempt: 2, changed_seq: 6 })), [leftByBob, started("accepted")]);
});

test("others who left and were invited again within a jump: they left, before their next attempt is reported", () => {
  const inCall = (eve: Partial<TestCallee>, seq: number) => ({
    ...active(seq),
    callees: [...active(seq).callees, callee("eve", { state: "accepted", at: at(4), ...eve })],
  });
  const left = "onParticipantLeft(c1, eve)";
  for (const [eve, bobs, anns] of [
    [{ attempt: 2, state: "invited" }, [left], [left]],
    [{ attempt: 2, state: "declined", at: at(9) }, [left], [left, "onOutgoingCallDeclined(c1, eve)"]],
    [{ attempt: 2, at: at(9) }, [left, "onParticipantJoined(c1, eve)"], [left, "onOutgoingCallAccepted(c1, eve)"]],
  ] as [Partial<TestCallee>, string[], string[]][]) {
    const bob = isIn();
    assert.deepEqual(bob.push(inCall({}, 3)), ["onParticipantJoined(c1, eve)"]);
    assert.deepEqual(bob.push(inCall(eve, 7)), bobs);
    assert.deepEqual(bob.push(inCall(eve, 8)), []);
    const ann = new Device("ann", "a.1");
    ann.push(inCall({}, 3));
    assert.deepEqual(ann.push(inCall(eve, 7)), anns);
  }
  const pending = new Device("bob", "b.1");
  pending.push({ ...inCall({}, 3), callees: [callee("bob"), callee("eve", { state: "accepted" })] }, { ring_remaining_ms: 9 });
  assert.deepEqual(pending.answer(inCall({ attempt: 2, state: "invited" }, 7), "accept"), [started("accepted")]);
});
