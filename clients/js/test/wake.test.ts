import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { RinglineClient } from "../src/client/client.js";
import { withSleep } from "../src/platform/clock.js";
import { PageLife } from "../src/session/pagelife.js";
import { Wake } from "../src/session/wake.js";
import { FakeClock, FakeSession, settle, token } from "./fakes.js";
import { at, call, callee } from "./world.js";

/** Eve's connected client, at 10:00:00 by the server's clock. */
async function eve() {
  const clock = new FakeClock();
  let session: FakeSession | undefined;
  const options = { server: "https://edge.example.com", token: token("eve"), storage: null };
  const client = new RinglineClient(options, { clock, makeSession: (o, l) => (session = new FakeSession(o, l)) });
  const received: string[] = [];
  client.on("incomingCallReceived", (callID) => received.push(`rings ${callID}`));
  client.on("incomingCallCanceled", (callID) => received.push(`canceled ${callID}`));
  client.on("callEnded", (callID, _, { reason }) => received.push(`ended ${callID} ${reason}`));
  client.on("error", ({ message }) => received.push(`error ${message}`));
  const connected = client.connect();
  await settle();
  session!.connect([], { user_id: "eve" });
  await connected;
  return { clock, client, session: session!, received };
}

/** A call that rings at eve until 10:00:40. */
const ringing = (seq = 1) => call(seq, { callees: [callee("eve", { ring_deadline: at(40) })] });
const canceled = () => call(2, { callees: [callee("eve", { state: "canceled", reason: "canceled" })] });
/** It is sent at 10:00:05. */
const sent = { event: "incoming_call_received", server_time: at(5), ring_remaining_ms: 35_000 } as const;

test("a push that waited while the device slept does not ring by itself: without a network nothing rings", async () => {
  const { clock, client, session, received } = await eve();
  await clock.pass(25_000);
  session.push(ringing(), sent);
  assert.deepEqual([session.request1.method, session.request1.data], ["get", { call_id: "c1" }]);
  await clock.pass(60_000);
  assert.deepEqual([received, client.calls.current], [[], []]);
});

test("a late push of a call that was canceled meanwhile never rings", async () => {
  const { clock, session, received } = await eve();
  await clock.pass(25_000);
  session.push(ringing(), sent);
  session.request1.answer({ ok: true, call: canceled() });
  await settle();
  session.push(canceled(), { event: "incoming_call_canceled", server_time: at(10) });
  assert.deepEqual([received, session.requests.length], [[], 0]);
});

test("a late push of a call that still rings: it rings for the time left by the server's clock", async () => {
  const { clock, client, session, received } = await eve();
  await clock.pass(25_000);
  session.push(ringing(), sent);
  session.request1.answer({ ok: true, call: ringing() });
  await settle();
  assert.deepEqual([received, session.request1.method], [["rings c1"], "ring"]);
  assert.equal(Math.round(client.calls.current[0]!.ringRemaining() / 100), 150);
});

test("a push that is only a little late rings at once, and its time counts from when it was sent", async () => {
  const { clock, client, session, received } = await eve();
  await clock.pass(6_500);
  session.push(ringing(), sent);
  assert.deepEqual([received, session.request1.method], [["rings c1"], "ring"]);
  assert.equal(Math.round(client.calls.current[0]!.ringRemaining() / 100), 335);
});

test("a late snapshot: other facts count at once, and a call that would ring is read first", async () => {
  const { clock, session, received } = await eve();
  session.push({ ...ringing(), call_id: "c0" }, { ring_remaining_ms: 40_000 });
  session.request1.answer({ ok: true, call: { ...ringing(), call_id: "c0" } });
  await clock.pass(25_000);
  const calls = [{ call: { ...canceled(), call_id: "c0" } }, { call: ringing(), ring_remaining_ms: 35_000 }];
  session.listener.onPush({ event: "snapshot", snapshot: { server_time: at(5), user_id: "eve", device_id: "", calls, showing: ["c0"] } });
  assert.deepEqual(received, ["rings c0", "canceled c0", "ended c0 canceled"]);
  assert.deepEqual(session.request1.data, { call_id: "c1" });
});

test("the server's clock was set back: pushes look late, and still ring", async () => {
  const { clock, session, received } = await eve();
  await clock.pass(120_000);
  session.push(ringing(), sent);
  session.request1.answer({ ok: true, call: ringing() });
  await settle();
  assert.deepEqual(received, ["rings c1"]);
});

test("a clock that drifts from the server's does not make pushes late", async () => {
  const { clock, session, received } = await eve();
  for (let hour = 1; hour <= 24; hour++) {
    clock.time += 3_600_000 * 1.0001; // it is 8.6 s fast after a day
    const server_time = new Date(Date.parse(at(0)) + hour * 3_600_000).toISOString();
    session.push({ ...ringing(), call_id: `c${hour}` }, { server_time, ring_remaining_ms: 30_000 });
  }
  await settle();
  assert.equal(received.length, 24);
});

test("a monotonic clock that stops during sleep is put forward by what the time of day gained", () => {
  let [monotonic, day] = [1_000, 1_700_000_000_000];
  const now = withSleep(() => monotonic, () => day);
  const pass = (of: number, ofDay: number) => ((monotonic += of), (day += ofDay), now());
  assert.equal(pass(100, 100), 1_100);
  assert.equal(pass(10, 20_000), 21_100, "it slept for 20 s, some of it awake");
  assert.equal(pass(1_000, 2_500), 22_100, "the time of day was corrected");
  assert.equal(pass(1_000, -3_600_000), 23_100, "the time of day was set back");
  assert.equal(pass(1_000, 1_000), 24_100);
});

test("a gap: the timer came much later than planned; a hidden page's timers are late without one", async () => {
  const clock = new FakeClock();
  let woken = 0;
  const wake = new Wake(clock, () => woken++);
  wake.start();
  await clock.pass(60_000);
  assert.equal(woken, 0);
  clock.time += 16_000;
  await clock.pass(0);
  assert.equal(woken, 1);
  withGlobals({ document: Object.assign(new EventTarget(), { hidden: true }) });
  wake.start();
  clock.time += 60_000;
  assert.equal(wake.woke(), false);
  clock.time += 80_000;
  assert.equal(wake.woke(), true);
  wake.stop();
  assert.equal(clock.pending, 0);
});

const replaced = new Map<string, PropertyDescriptor | undefined>();

function withGlobals(globals: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(globals)) {
    if (!replaced.has(name)) replaced.set(name, Object.getOwnPropertyDescriptor(globalThis, name));
    Object.defineProperty(globalThis, name, { value, configurable: true });
  }
}

afterEach(() => {
  for (const [name, before] of replaced) {
    if (before) Object.defineProperty(globalThis, name, before);
    else Reflect.deleteProperty(globalThis, name);
  }
  replaced.clear();
});

test("a page is away when it is frozen or cached, and when it is hidden only on iOS", () => {
  for (const [userAgent, hides] of [
    ["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0", []],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15", ["away", "back"]],
  ] as const) {
    const page = Object.assign(new EventTarget(), { hidden: false });
    const window = new EventTarget();
    const { addEventListener, removeEventListener } = window;
    withGlobals({
      document: page,
      navigator: { userAgent },
      addEventListener: addEventListener.bind(window),
      removeEventListener: removeEventListener.bind(window),
    });
    const received: string[] = [];
    const life = new PageLife(
      { onAway: () => received.push("away"), onBack: () => received.push("back"), onLook: (frozen) => received.push(frozen ? "was frozen" : "look") },
      undefined,
    );
    life.start();
    const hear = (target: EventTarget, type: string, more = {}) => {
      target.dispatchEvent(Object.assign(new Event(type), more));
      return received.splice(0).filter((x) => x !== "look");
    };
    assert.deepEqual([hear(page, "freeze"), hear(page, "resume")], [["away"], ["back", "was frozen"]]);
    assert.deepEqual([hear(window, "pagehide", { persisted: true }), hear(window, "pageshow", { persisted: true })], [["away"], ["back"]]);
    assert.deepEqual([hear(window, "pagehide", { persisted: false }), hear(window, "pageshow", { persisted: false })], [[], []]);
    page.hidden = true;
    const hidden = hear(page, "visibilitychange");
    page.hidden = false;
    assert.deepEqual([...hidden, ...hear(page, "visibilitychange")], hides);
    life.stop();
    assert.deepEqual([...hear(page, "freeze"), ...hear(window, "pagehide", { persisted: true })], []);
    page.hidden = true;
    life.start();
    assert.deepEqual(received, hides.slice(0, 1), "hidden when the session opens");
    life.stop();
  }
});

test("away and back are sent only in a call, and an error of an older edge is of no interest", async () => {
  const { session, client, received } = await eve();
  const methods = () => session.requests.splice(0).map((r) => r.method);
  session.listener.onAway(true);
  session.listener.onAway(false);
  session.push(ringing(), { server_time: at(0), ring_remaining_ms: 40_000 });
  assert.deepEqual(methods(), ["ring"]);
  session.listener.onAway(true);
  assert.deepEqual(methods(), [], "it only rings");
  const accepted = call(2, { state: "active", callees: [callee("eve", { state: "accepted", device_id: client.deviceID })] });
  session.push(accepted);
  assert.equal(session.request1.method, "away", "it was answered while the page was hidden");
  assert.deepEqual(session.request1.data, {});
  session.request1.answer({ ok: false, error: { code: "invalid_argument", message: "verb: must be one of …" } });
  session.listener.onAway(false);
  assert.equal(session.request1.method, "back");
  session.request1.lose();
  session.listener.onAway(true);
  methods();
  session.break();
  session.connect([{ call: accepted }], { user_id: "eve" });
  assert.deepEqual(methods(), ["away"], "the new session does not know it");
  session.break();
  session.listener.onAway(false);
  session.connect([{ call: accepted }], { user_id: "eve" });
  await settle();
  assert.deepEqual([session.requests.filter((r) => r.method === "away"), received], [[], ["rings c1"]]);
});

test("another page has this device's id: the next connect request has another tab part", async () => {
  const { session, client } = await eve();
  const [stable, tab] = client.deviceID.split(".");
  session.listener.onDown();
  await session.listener.newDevice();
  session.connect([], { user_id: "eve" });
  const [stableAfter, tabAfter] = client.deviceID.split(".");
  assert.equal(stableAfter, stable, "the client keeps it, also without a storage");
  assert.match(tabAfter ?? "", /^[a-z0-9]{8}$/);
  assert.notEqual(tabAfter, tab);
});

test("connectTimeout has limits", () => {
  const client = (connectTimeout: number) => new RinglineClient({ server: "https://x", token: token("eve"), connectTimeout });
  for (const ms of [0, 1_000, 600_000]) client(ms);
  for (const ms of [-1, 999, 1_000.5, 600_001, NaN]) assert.throws(() => client(ms), /connectTimeout: must be 0, or 1000 to 600000 milliseconds/);
});
