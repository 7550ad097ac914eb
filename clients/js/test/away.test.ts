import assert from "node:assert/strict";
import { test } from "node:test";
import { RinglineError } from "../src/api/error.js";
import { RinglineClient } from "../src/client/client.js";
import { FakeClock, FakeSession, settle, token } from "./fakes.js";
import { at, call, callee } from "./world.js";

// A page that goes away during a call says so until the server knows it, in each session.

async function world() {
  const clock = new FakeClock();
  let session!: FakeSession;
  const makeSession = (...args: ConstructorParameters<typeof FakeSession>) => (session = new FakeSession(...args));
  const client = new RinglineClient({ server: "https://h", token: token("bob"), storage: null }, { clock, makeSession });
  void client.connect();
  await settle();
  const inCall = () => ({ call: call(2, { state: "active", callees: [callee("bob", { state: "accepted", device_id: client.deviceID, at: at(3) })] }) });
  session.connect([], { user_id: "bob" });
  session.push(inCall().call);
  const sent = () => session.requests.map((r) => r.method);
  const set = (away: boolean) => session.listener.onAway(away);
  return { clock, client, session, inCall, sent, set };
}

const refused = (code: string) => ({ ok: false, error: { code, message: "no" } });

test("away and back are sent once each, if the server carries them out", async () => {
  const { clock, session, sent, set } = await world();
  for (const [away, method] of [[true, "away"], [false, "back"]] as const) {
    set(away);
    set(away);
    assert.deepEqual(sent(), [method]);
    session.request1.answer({ ok: true });
    await settle();
    await clock.pass(60_000);
    assert.deepEqual(sent(), []);
  }
});

test("a request that is lost, or refused for the moment, is sent again with growing pauses", async () => {
  for (const away of [true, false]) {
    const { clock, session, sent, set } = await world();
    set(true);
    if (!away) {
      session.request1.answer({ ok: true });
      await settle();
      set(false);
    }
    const method = away ? "away" : "back";
    const fail = [() => session.request1.lose(), () => session.request1.answer(refused("rate_limited")), () => session.request1.answer(refused("unavailable"))];
    for (const [i, f] of fail.entries()) {
      assert.deepEqual(sent(), [method]);
      f();
      await settle();
      await clock.pass(1000 * 2 ** i - 1);
      assert.deepEqual(sent(), []);
      await clock.pass(1);
    }
    session.request1.answer({ ok: true });
    await settle();
    await clock.pass(60_000);
    assert.deepEqual(sent(), []);
    assert.equal(clock.pending, 0);
  }
});

test("it is given up after six times, and when the server refuses for good or does not know the method", async () => {
  const { clock, session, sent, set } = await world();
  set(true);
  for (let i = 0; i < 6; i++) {
    session.request1.lose();
    await settle();
    await clock.pass(60_000);
  }
  assert.deepEqual(sent(), []);
  for (const code of ["invalid_argument", "method not found"]) {
    const w = await world();
    w.set(true);
    if (code === "invalid_argument") w.session.request1.answer(refused(code));
    else w.session.request1.refuse(new RinglineError("internal", code));
    await settle();
    await w.clock.pass(60_000);
    assert.deepEqual(w.sent(), []);
  }
});

test("a page that comes back while away is sent again sends back, and nothing more", async () => {
  const { clock, session, sent, set } = await world();
  set(true);
  session.request1.lose();
  await settle();
  set(false);
  assert.deepEqual(sent(), ["back"]);
  session.request1.answer({ ok: true });
  await settle();
  await clock.pass(60_000);
  assert.deepEqual(sent(), []);
});

test("a call that ends while away is sent again: nothing is sent until the next call", async () => {
  const { clock, session, inCall, sent, set } = await world();
  set(true);
  session.request1.lose();
  await settle();
  session.push({ ...inCall().call, seq: 3, state: "ended", end_reason: "completed", callees: [callee("bob", { state: "left", reason: "ended" })] });
  await clock.pass(60_000);
  assert.deepEqual(sent(), []);
  session.push({ ...inCall().call, call_id: "c2" });
  assert.deepEqual(sent(), ["away"]);
});

test("a new session withdraws away: a page that is still away says so again, at once", async () => {
  const { clock, session, inCall, sent, set } = await world();
  set(true);
  session.request1.answer({ ok: true });
  await settle();
  session.break();
  await clock.pass(60_000);
  assert.deepEqual(sent(), [], "not without a session");
  session.connect([inCall()], { user_id: "bob" });
  assert.deepEqual(sent(), ["away"]);
  session.request1.lose();
  await settle();
  session.break();
  session.connect([inCall()], { user_id: "bob" });
  assert.deepEqual(sent(), ["away"]);
  await clock.pass(5_000);
  assert.deepEqual(sent(), ["away"], "the pause of the earlier session is over");
  session.break();
  set(false);
  session.connect([inCall()], { user_id: "bob" });
  assert.deepEqual(sent(), [], "back already");
});
