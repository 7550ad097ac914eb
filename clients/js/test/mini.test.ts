import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { before, test, type TestContext } from "node:test";
import { transform } from "esbuild";
import type { RinglineError } from "../src/api/error.js";
import type { MiniPlatform, SocketTask } from "../src/mini/platform.js";
import { webSocketOf } from "../src/mini/socket.js";
import { FakeEdge, type Connected } from "./fakeedge.js";
import { FakePhone, plain } from "./fakewx.js";
import { token } from "./fakes.js";
import { MiniPhone } from "./miniphone.js";
import { at, call, callee, push } from "./world.js";

// The built file for mini-programs, with only ES2015 and a phone's wx around it. The traffic on the sockets is real.
// test/minilive.ts does the same with a real edge.

let code = "";

before(async () => {
  const script = pathToFileURL(resolve("scripts/mini.mjs")).href;
  const { mini } = (await import(script)) as { mini(): Promise<string> };
  code = await mini();
});

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

async function edge(t: TestContext): Promise<FakeEdge> {
  const e = await new FakeEdge().start();
  t.after(() => e.kill().catch(() => {}));
  return e;
}

function phone(t: TestContext, ...args: [FakePhone?, ("wx" | "uni")[]?, boolean?]): MiniPhone {
  const p = new MiniPhone(code, ...args);
  t.after(async () => {
    p.kit.unInit();
    await pause(20);
    assert.deepEqual(p.touched, [], "no global that a mini-program lacks");
  });
  return p;
}

async function connected(t: TestContext, p = phone(t)): Promise<{ p: MiniPhone; e: FakeEdge; peer: Connected }> {
  const e = await edge(t);
  await p.init(e.url, "ann", token("ann"));
  return { p, e, peer: await e.next(1) };
}

/** zoe calls ann. */
const incoming = (seq: number, more: Partial<Parameters<typeof callee>[1]> = {}) =>
  call(seq, { caller: { user_id: "zoe", user_name: "Zoë", state: "in", at: at(0) }, callees: [callee("ann", { invited_by: "zoe", data: "hi", ...more })] });
const rings = [
  'onIncomingCallReceived("c1", {"userID":"zoe","userName":"Zoë"}, 1, [{"userID":"ann","userName":""}], "hi")',
];

async function refusal(promise: Promise<unknown>): Promise<[string, string]> {
  try {
    await promise;
  } catch (e) {
    const { code, message } = e as RinglineError;
    return [code, message];
  }
  throw new Error("it was not rejected");
}

test("the bundle is one file of ES2015, and uses no browser API", async () => {
  // Syntax newer than ES2015 would change for that target, and not for esnext.
  const [old, newest] = await Promise.all(["es2015", "esnext"].map((target) => transform(code, { target, minifyWhitespace: true, logLevel: "error" })));
  assert.equal(old?.code, newest?.code);
  assert.doesNotMatch(code, /\brequire\(/);
  assert.doesNotMatch(code, /customElements|HTMLElement|attachShadow|AudioContext/);
});

test("the exports; without a platform nothing happens", async () => {
  const p = new MiniPhone(code, new FakePhone(), []);
  assert.deepEqual(p.exported, ["CallScenario", "CallType", "Ringline", "RinglineClient", "RinglineError"]);
  assert.equal(p.kit.CallType.videoCall, 1);
  const [why, message] = await refusal(p.init("https://x", "ann", token("ann")));
  assert.deepEqual([why, message.split(":")[0]], ["invalid_argument", "platform"]);
  assert.throws(() => new p.kit.RinglineClient({ server: "https://x", token: token("ann") }), /platform: /);
  assert.deepEqual(p.touched, []);
});

test("init, an incoming call, accept, and the end: exact arguments, exact commands, one socket", async (t) => {
  const p = phone(t);
  const e = await edge(t);
  const local = await p.init(e.url, "änn", token("änn", { name: "Änn" }));
  const peer = await e.next(1);
  assert.deepEqual(e.urls, ["/connection/websocket"]);
  assert.deepEqual([peer.token, peer.data.showing], [token("änn", { name: "Änn" }), []]);
  assert.match(peer.data.device, /^[a-z0-9]{25}\.[a-z0-9]{8}$/);
  assert.deepEqual(local, { userID: "änn", userName: "ÄNN", deviceID: peer.data.device });
  p.kit.unInit();
  await pause(5);

  const q = await connected(t);
  const requests: unknown[] = [];
  const accepted = incoming(3, { state: "accepted", device_id: q.peer.data.device, at: at(5) });
  q.e.onRPC = (method, data) => {
    const { command_id, ...rest } = data as { command_id: string };
    assert.match(command_id, /^[a-z0-9]{25}$/);
    requests.push({ method, ...rest });
    return Promise.resolve({ ok: true, call: method === "ring" ? incoming(2, { state: "ringing" }) : { ...accepted, state: "active" } });
  };
  q.peer.push(push(incoming(1), { event: "incoming_call_received", ring_remaining_ms: 60_000 }));
  await q.p.until(() => requests.length === 1, "ring");
  assert.deepEqual(q.p.calls, rings);
  await q.p.kit.accept(undefined, { customData: "ja" });
  assert.deepEqual(requests, [
    { method: "ring", call_id: "c1", attempt: 1 },
    { method: "accept", call_id: "c1", attempt: 1, custom_data: "ja" },
  ]);
  assert.deepEqual(plain(q.p.kit.getCalls().map((c) => [c.callID, c.direction, c.phase])), [["c1", "incoming", "active"]]);
  q.peer.push(
    push({ ...incoming(4, { state: "left", reason: "ended", device_id: q.peer.data.device, at: at(9) }), state: "ended", ended_at: at(9), end_reason: "completed", ended_by: { kind: "user", user_id: "zoe" } }),
  );
  await q.p.receives('onCallEnded("c1", "room", {"reason":"completed","by":{"kind":"user","userID":"zoe"}})');
  assert.deepEqual(q.p.calls.slice(0, -1), [...rings, 'onCallStarted("c1", "room", {"callType":1,"how":"accepted"})']);
  assert.equal(q.p.phone.maxOpen, 1);
});

test("closed with code 1000 in the background, then shown: it reconnects, and the snapshot has the outcome of the call", async (t) => {
  const { p, e, peer } = await connected(t);
  peer.push(push(incoming(1)));
  await p.until(() => p.calls.length === 1, "the call");
  p.phone.hide();
  await p.receives('onConnectionStateChanged("connecting")');
  await pause(700); // it tries, and the platform refuses
  assert.equal(e.connected.length, 1);
  p.phone.show();
  const again = await e.next(2);
  assert.deepEqual(again.data, { device: peer.data.device, showing: ["c1"] });
  await p.receives('onCallEnded("c1", "room", {"reason":"timed_out"})');
  assert.deepEqual(p.received.filter((h) => h.startsWith("onConnection")), ["connecting", "connected", "connecting", "connected"].map((s) => `onConnectionStateChanged("${s}")`));
  assert.equal(p.phone.open.length, 1);
});

test("suspended with a dead socket: a new one at once when it is shown", async (t) => {
  const { p, e } = await connected(t);
  p.phone.hide(true);
  await pause(50);
  const began = Date.now();
  p.phone.show(5_000);
  await e.next(2);
  assert.ok(Date.now() - began < 1_500, `after ${Date.now() - began} ms`);
  assert.equal(p.phone.maxOpen, 1);
});

test("in the background for a moment: the socket stays", async (t) => {
  const { p, e } = await connected(t);
  for (const type of ["hide", "show"]) for (const f of p.phone.listeners.get(type) ?? []) f({});
  await pause(100);
  assert.equal(e.connected.length, 1);
  assert.deepEqual(p.received.slice(-1), ['onConnectionStateChanged("connected")']);
});

test("hidden during a call: away at once, and back if the socket lives; without a call nothing is sent", async (t) => {
  const { p, e, peer } = await connected(t);
  const methods: string[] = [];
  e.onRPC = (method) => (methods.push(method), Promise.resolve({ ok: false, error: { code: "invalid_argument", message: "verb: unknown" } }));
  const dispatch = (type: string) => {
    for (const f of p.phone.listeners.get(type) ?? []) f({});
  };
  for (const type of ["hide", "show"]) dispatch(type);
  const accepted = incoming(2, { state: "accepted", device_id: peer.data.device, at: at(5) });
  peer.push(push({ ...accepted, state: "active" }));
  await p.until(() => p.kit.getCalls().length === 1, "the call");
  dispatch("hide");
  await p.until(() => methods.length === 1, "away");
  dispatch("show");
  await p.until(() => methods.length === 2, "back");
  assert.deepEqual(methods, ["away", "back"]);
  assert.equal(e.connected.length, 1);
  assert.deepEqual(p.received.filter((h) => h.startsWith("onError")), []);
});

test("no network, then one again: it reconnects at once", async (t) => {
  const { p, e } = await connected(t);
  p.phone.network(false);
  await p.receives('onConnectionStateChanged("connecting")');
  await pause(1_200); // some failed tries, with growing pauses
  assert.equal(e.connected.length, 1);
  const began = Date.now();
  p.phone.network(true);
  await e.next(2);
  assert.ok(Date.now() - began < 400, `after ${Date.now() - began} ms`);
  assert.equal(p.phone.open.length, 1);
});

test("a change from Wi-Fi to a mobile network reconnects; one between mobile networks does not", async (t) => {
  const { p, e } = await connected(t);
  p.phone.network(true, "4g");
  await e.next(2);
  await p.until(() => p.received.filter((h) => h.includes('"connected"')).length === 2, "connected again");
  p.phone.network(true, "5g");
  p.phone.network(true, "4g");
  await pause(100);
  assert.equal(e.connected.length, 2);
  assert.equal(p.phone.open.length, 1);
});

test("unInit leaves no socket, no timer and no listener", async (t) => {
  const { p } = await connected(t);
  assert.ok(p.phone.listeners.get("show")?.size);
  p.kit.unInit();
  await p.until(() => p.phone.open.length === 0, "the socket to close");
  assert.equal(p.phone.timers.size, 0);
  assert.deepEqual([...p.phone.listeners.values()].map((s) => s.size), [0, 0, 0]);
  p.phone.show();
  await pause(50);
  assert.equal(p.phone.open.length, 0);
});

test("unInit at any moment of connecting leaves no socket", async (t) => {
  const e = await edge(t);
  for (const after of [0, 1, 3, 10]) {
    const p = phone(t);
    const begun = p.init(e.url, "ann", token("ann")).catch(() => {});
    await pause(after);
    p.kit.unInit();
    await begun;
    await p.until(() => p.phone.open.length === 0, "the socket to close");
    assert.equal(p.phone.timers.size, 0);
  }
});

test("servers that accept a connection and send nothing: never more than 2 sockets", async (t) => {
  const silent: Server = createServer((s) => s.on("error", () => {}));
  await new Promise<void>((done) => silent.listen(0, "127.0.0.1", done));
  t.after(() => silent.close());
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const p = phone(t);
  p.phone.speed = 20;
  const begun = refusal(p.init([url, url, url], "ann", token("ann")));
  await p.until(() => p.phone.tasks.length === 3, "the third try");
  assert.ok(p.phone.maxOpen <= 2, `${p.phone.maxOpen} sockets`);
  p.kit.unInit();
  assert.equal((await begun)[0], "disconnected");
  await p.until(() => p.phone.open.length === 0, "the platform's own timeout");
});

for (const next of ["fail", "throw", "nothing"] as const) {
  test(`connectSocket that does "${next}" is retried, and logged once`, async (t) => {
    const p = phone(t);
    p.phone.next = next;
    const { e } = await connected(t, p);
    assert.equal(e.connected.length, 1);
    if (next !== "throw") assert.deepEqual(p.phone.warnings, ["Ringline: connectSocket:fail url not in domain list"]);
  });
}

test("an error on an open socket closes it once", async (t) => {
  const { p, e } = await connected(t);
  p.phone.open[0]?.break("Socket is not connected");
  await e.next(2);
  await p.until(() => p.received.length === 4, "connected again");
  assert.equal(p.phone.open.length, 1);
  assert.deepEqual(p.phone.warnings, ["Ringline: Socket is not connected"]);
});

test("a socket closes once, whatever the platform calls, and emits nothing afterwards", async () => {
  const on: Record<string, (event: never) => void> = {};
  const done: string[] = [];
  let sendFails = (_: { errMsg: string }): void => {};
  const listen = (event: string) => (f: (event: never) => void) => void (on[event] = f);
  const task: SocketTask = {
    onOpen: listen("open"),
    onMessage: listen("message"),
    onClose: listen("close"),
    onError: listen("error"),
    send: ({ fail }) => void (sendFails = fail),
    close: ({ code }) => void done.push(`close ${code}`),
  };
  const Socket = webSocketOf({ connectSocket: () => task } as unknown as MiniPlatform);
  const socket = new Socket("wss://x");
  socket.onopen = () => done.push("onopen");
  socket.onmessage = ({ data }) => done.push(`onmessage ${String(data)}`);
  socket.onerror = ({ message }) => done.push(`onerror ${message}`);
  socket.onclose = ({ code }) => done.push(`onclose ${code}`);
  assert.throws(() => socket.send("early"), /not open/);
  on.open?.({} as never);
  on.message?.({ data: "hi" } as never);
  socket.send("x");
  sendFails({ errMsg: "sendSocketMessage:fail" });
  on.error?.({ errMsg: "again" } as never);
  on.close?.({ code: 1000 } as never);
  on.message?.({ data: "late" } as never);
  socket.close();
  assert.deepEqual(done, ["onopen", "onmessage hi", "close 1000", "onerror sendSocketMessage:fail", "onclose 1006"]);
  on.open?.({} as never); // it was given up, and opens anyway
  assert.deepEqual(done.slice(5), ["close 1000"]);
});

test("a permanent close code of the server ends the session", async (t) => {
  const { p, peer } = await connected(t);
  peer.end(3503, "force disconnect");
  await p.until(() => p.received.some((h) => h.startsWith('onError({"code":"disconnected"')), "the refusal");
  await p.until(() => p.phone.open.length === 0, "no socket");
});

test("the device id survives a restart of the app; without a storage the client still works", async (t) => {
  const device = new FakePhone();
  const e = await edge(t);
  const first = await phone(t, device).init(e.url, "ann", token("ann"));
  const second = await phone(t, device).init(e.url, "ann", token("ann"));
  assert.equal(second.deviceID, first.deviceID);
  const full = new FakePhone();
  full.wx.setStorageSync = () => {
    throw new Error("full");
  };
  const third = await phone(t, full).init(e.url, "ann", token("ann"));
  assert.notEqual(third.deviceID, first.deviceID);
  const own = await phone(t, new FakePhone()).init(e.url, "ann", token("ann"), { device: "mine", storage: null });
  assert.match(own.deviceID, /^mine\./);
});

test("without getRandomValues ids still differ", async (t) => {
  const ids = new Set<string>();
  const e = await edge(t);
  for (let i = 0; i < 20; i++) {
    const poor = new FakePhone();
    delete (poor.wx as Partial<typeof poor.wx>).getRandomValues;
    ids.add((await phone(t, poor).init(e.url, "ann", token("ann"))).deviceID.split(".")[0] ?? "");
  }
  assert.equal(ids.size, 20);
});

test("uni, or an object that is passed as platform", async (t) => {
  await connected(t, phone(t, new FakePhone(), ["uni"]));
  const p = phone(t, new FakePhone(), []);
  const e = await edge(t);
  await p.init(e.url, "ann", token("ann"), { platform: p.phone.wx });
  const client = new p.kit.RinglineClient({ server: e.url, token: token("ann"), platform: p.phone.wx as never });
  await client.connect();
  client.disconnect();
});

test("init twice, and StrictMode's unInit in between: one socket", async (t) => {
  const { p, e } = await connected(t);
  await p.init(e.url, "ann", token("ann"));
  p.kit.unInit();
  await p.init(e.url, "ann", token("ann"));
  assert.equal(e.connected.length, 1);
  assert.equal(p.phone.maxOpen, 1);
});

test("with promises that resolve late, as on iOS up to 15, the order stays", async (t) => {
  const { p, e, peer } = await connected(t, phone(t, new FakePhone(), ["wx"], true));
  e.onRPC = () => Promise.resolve({ ok: true, call: incoming(2, { state: "ringing" }) });
  for (let i = 0; i < 20; i++) peer.push(push({ ...incoming(1), call_id: `c${i}`, room_id: "r" }, { id: `c${i}-1-0` }));
  await p.until(() => p.calls.length === 20, "the calls");
  assert.deepEqual(p.calls.map((c) => /"(c\d+)"/.exec(c)?.[1]), Array.from({ length: 20 }, (_, i) => `c${i}`));
  p.phone.hide();
  p.phone.show();
  await e.next(2);
  await p.until(() => p.calls.length === 40, "their ends");
  p.kit.unInit();
  await p.until(() => p.phone.open.length === 0, "the socket to close");
  await pause(50);
  assert.equal(p.phone.timers.size, 0);
});
