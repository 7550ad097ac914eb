import assert from "node:assert/strict";
import { test } from "node:test";
import { outcomeShownFor } from "../src/ui/board.js";
import { RinglineError } from "../src/api/error.js";
import { rejected, settle } from "./fakes.js";
import { phoneOf, seen } from "./uiworld.js";
import { at, call, callee, endedCall } from "./world.js";

const bob = { kind: "user", user_id: "bob" } as const;
const both = [{ userID: "bob" }, { userID: "eve" }];

/** The only request in flight with that method. */
function requestOf(session: Awaited<ReturnType<typeof phoneOf>>["session"], method: string) {
  const found = session.requests.filter((r) => r.method === method);
  assert.equal(found.length, 1, `requests: ${session.requests.map((r) => r.method).join()}`);
  return found[0]!;
}

async function watched(user: string) {
  const world = await phoneOf(user);
  let drawn = 0;
  const stop = world.phone.board.subscribe(() => drawn++);
  return { ...world, stop, draws: () => drawn };
}

test("shows calling from the press on, and ringing once a device of the callee rings", async () => {
  const { phone, session } = await watched("ann");
  const made = phone.invite({ callees: both, callType: 1 }, "c1");
  await settle();
  assert.deepEqual(seen(phone), ["to bob calling, eve calling"]);
  requestOf(session, "invite").answer({ ok: true, call: call(1) });
  await made;
  await settle();
  assert.deepEqual(seen(phone), ["to bob calling, eve calling"]);
  session.push(call(2, { callees: [callee("bob", { state: "ringing" }), callee("eve")] }));
  await settle();
  assert.deepEqual(seen(phone), ["to bob ringing, eve calling"]);
});

test("without a connection it still shows calling, and Cancel cancels the call", async () => {
  const { phone, session, client } = await watched("ann");
  const pressed: string[] = [];
  client.on("outgoingCallCancelButtonPressed", () => pressed.push("cancel"));
  session.break();
  const made = rejected(phone.invite({ callees: both, callType: 0 }, "c1"));
  await settle();
  assert.deepEqual([seen(phone), phone.isConnected], [["to bob calling, eve calling"], false]);
  await phone.press("c1", "cancel");
  assert.equal((await made).code, "call_ended");
  await settle();
  assert.deepEqual([seen(phone), pressed, phone.failedOn("outgoing", "c1")], [[], ["cancel"], undefined]);
});

test("an answered group call has two cards while callees are pending", async () => {
  const { phone, session } = await watched("ann");
  session.push(call(1));
  session.push(call(3, { state: "active", answered_at: at(3), callees: [callee("bob", { state: "accepted", at: at(3) }), callee("eve")] }));
  await settle();
  assert.deepEqual(seen(phone), ["to bob accepted, eve calling", "with bob"]);
  const eve = callee("eve", { state: "declined", reason: "declined", at: at(4) });
  session.push(call(4, { state: "active", answered_at: at(3), callees: [callee("bob", { state: "accepted", at: at(3) }), eve] }));
  await settle();
  assert.deepEqual(seen(phone), ["with bob"]);
});

test("a caller who is alone in a call with pending callees has one card", async () => {
  const { phone, session } = await watched("ann");
  const left = callee("bob", { state: "left", reason: "left", at: at(5) });
  session.push(call(1));
  session.push(call(5, { state: "active", answered_at: at(3), callees: [left, callee("eve")] }));
  await settle();
  assert.deepEqual(seen(phone), ["to bob left, eve calling"]);
});

test("the outcome of each callee is shown for some seconds, and no longer", async () => {
  const { phone, session, clock, draws } = await watched("ann");
  session.push(call(1));
  await settle();
  const before = draws();
  const callees = [callee("bob", { state: "declined", reason: "declined", at: at(4) }), callee("eve", { state: "timed_out", reason: "timed_out", at: at(9) })];
  session.push(endedCall(4, 9, "timed_out", { kind: "timer" }, callees));
  await settle();
  assert.deepEqual(seen(phone), ["to bob declined, eve no_answer (unanswered)"]);
  assert.equal(draws(), before + 1, "a change is drawn once, with nothing in between");
  await clock.pass(outcomeShownFor - 1);
  assert.equal(seen(phone).length, 1);
  await clock.pass(1);
  assert.deepEqual(seen(phone), []);
});

test("all callees busy: the call ends before it was shown, and the caller sees why", async () => {
  const { phone, session } = await watched("ann");
  const made = phone.invite({ callees: [{ userID: "bob", userName: "Bob" }], callType: 0 }, "c1");
  await settle();
  const busy = callee("bob", { state: "busy", reason: "line_busy" });
  requestOf(session, "invite").answer({ ok: true, call: endedCall(1, 0, "busy", { kind: "user", user_id: "ann" }, [busy]) });
  await made;
  await settle();
  assert.deepEqual(seen(phone), ["to Bob busy (unanswered)"]);
});

test("the next call replaces the outcome of the last one", async () => {
  const { phone, session } = await watched("ann");
  session.push(call(1, { callees: [callee("bob")] }));
  session.push(endedCall(2, 5, "declined", bob, [callee("bob", { state: "declined", reason: "declined", at: at(5) })]));
  await settle();
  assert.deepEqual(seen(phone), ["to bob declined (unanswered)"]);
  void rejected(phone.invite({ callees: [{ userID: "eve" }], callType: 0 }, "c2"));
  await settle();
  assert.deepEqual(seen(phone), ["to eve calling"]);
});

test("a user who canceled, declined or left sees no outcome", async () => {
  const ann = await watched("ann");
  ann.session.push(call(1));
  const canceled = ["bob", "eve"].map((x) => callee(x, { state: "canceled", reason: "canceled", at: at(5) }));
  ann.session.push(endedCall(2, 5, "canceled", { kind: "user", user_id: "ann" }, canceled));
  await settle();
  assert.deepEqual(seen(ann.phone), []);
  const eve = await watched("eve");
  eve.session.push(call(1));
  eve.session.push(call(2, { callees: [callee("bob"), callee("eve", { state: "declined", reason: "declined", device_id: "a.1", at: at(4) })] }));
  await settle();
  assert.deepEqual(seen(eve.phone), []);
});

test("a callee sees the caller, a missed call, and that another device answered", async () => {
  const { phone, session } = await watched("eve");
  session.push(call(1));
  await settle();
  assert.deepEqual(seen(phone), ["Ann calls"]);
  session.push(call(2, { callees: [callee("bob"), callee("eve", { state: "canceled", reason: "canceled", at: at(4) })] }));
  await settle();
  assert.deepEqual(seen(phone), ["Ann calls (missed)"]);
  session.push(call(1, { call_id: "c2" }));
  await settle();
  const elsewhere = callee("eve", { state: "accepted", device_id: "other", at: at(4) });
  session.push(call(2, { call_id: "c2", state: "active", callees: [callee("bob"), elsewhere] }));
  await settle();
  assert.deepEqual(seen(phone), ["Ann calls (answered_elsewhere)"]);
});

test("a press notifies the app first, then the server, and only once", async () => {
  const { phone, session, client } = await watched("eve");
  session.push(call(1));
  await settle();
  session.requests.find((r) => r.method === "ring")?.answer({ ok: true, call: call(1) });
  await settle();
  const order: string[] = [];
  client.on("incomingCallAcceptButtonPressed", () => order.push(`app, before ${session.requests.length} requests`));
  const first = phone.press("c1", "accept");
  const second = phone.press("c1", "accept");
  const other = phone.press("c1", "decline");
  assert.deepEqual(order, ["app, before 0 requests"]);
  assert.equal(phone.pressedOn("incoming", "c1"), "accept");
  await settle();
  const mine = callee("eve", { state: "accepted", device_id: "a.1", at: at(3) });
  requestOf(session, "accept").answer({ ok: true, call: call(2, { state: "active", answered_at: at(3), callees: [callee("bob"), mine] }) });
  await Promise.all([first, second, other]);
  await settle();
  assert.deepEqual([seen(phone), phone.pressedOn("incoming", "c1"), session.requests.length], [["with Ann"], undefined, 0]);
});

test("a call that is active before accept is answered: the next card waits for nothing, and its button works", async () => {
  const { phone, session } = await watched("eve");
  session.push(call(1));
  await settle();
  void phone.press("c1", "accept");
  const mine = callee("eve", { state: "accepted", device_id: "a.1", at: at(3) });
  session.push(call(2, { state: "active", answered_at: at(3), callees: [callee("bob"), mine] }));
  await settle();
  assert.deepEqual([seen(phone), phone.pressedOn("active", "c1")], [["with Ann"], undefined]);
  void phone.press("c1", "leave");
  assert.equal(phone.pressedOn("active", "c1"), "leave");
});

test("a refused press shows the reason, and the next one can succeed", async () => {
  const { phone, session } = await watched("eve");
  session.push(call(1));
  await settle();
  session.requests.find((r) => r.method === "ring")?.answer({ ok: true, call: call(1) });
  await settle();
  const press = phone.press("c1", "decline");
  await settle();
  requestOf(session, "decline").refuse(new RinglineError("internal", "out of order", "c1"));
  await press;
  assert.equal(phone.failedOn("incoming", "c1")?.message, "out of order");
  const again = phone.press("c1", "decline");
  assert.equal(phone.failedOn("incoming", "c1"), undefined);
  await settle();
  requestOf(session, "decline").answer({ ok: true, call: call(2, { callees: [callee("bob"), callee("eve", { state: "declined", reason: "declined", device_id: "a.1" })] }) });
  await again;
});

test("without watchers there is no timer, no handler and no memory of ended calls", async () => {
  const { phone, session, clock, stop } = await watched("ann");
  session.push(call(1));
  await settle();
  stop();
  const timers = clock.pending;
  session.push(endedCall(2, 5, "declined", bob, ["bob", "eve"].map((x) => callee(x, { state: "declined", reason: "declined", at: at(5) }))));
  await settle();
  assert.deepEqual([clock.pending, seen(phone)], [timers, []]);
  phone.board.subscribe(() => {});
  assert.deepEqual(seen(phone), []);
});
