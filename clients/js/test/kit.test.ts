import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import WebSocket from "ws";
import { Ringline } from "../src/kit/kit.js";
import type { InvitationEvents } from "../src/api/callbacks.js";
import type { CallInvitation } from "../src/client/options.js";
import { FakeEdge } from "./fakeedge.js";
import { rejected, token } from "./fakes.js";
import { call, callee, push } from "./world.js";

// The kit is one object for the whole page, so this test uses a real connection to an edge that it controls.

let edge: FakeEdge;
const config = { webSocket: WebSocket, storage: null };
const pause = (ms = 100) => new Promise((resolve) => setTimeout(resolve, ms));

beforeEach(async () => {
  edge = await new FakeEdge().start();
});

afterEach(async () => {
  Ringline.unInit();
  await pause(1);
  await edge.kill();
});

function init(events: InvitationEvents = {}, more: Partial<Parameters<typeof Ringline.init>[5]> = {}, user = "ann") {
  return Ringline.init("demo", edge.url, user, user.toUpperCase(), token(user), { ...config, ...more }, events);
}

function recorder() {
  const received: string[] = [];
  const events = new Proxy({} as InvitationEvents, {
    get: (_, name) => (...args: unknown[]) => void received.push(`${String(name)}(${args.map((a) => JSON.stringify(a)).join()})`),
  });
  return { received, events };
}

const eveRings = (id = "c1", seq = 1) => call(seq, { call_id: id, callees: [callee("ann")], caller: { ...call(1).caller!, user_id: "zoe" } });

test("init connects and returns the user; unInit ends the session", async () => {
  assert.equal(Ringline.getLocalUser(), null);
  const user = await init();
  assert.deepEqual({ ...user, deviceID: "" }, { userID: "ann", userName: "ANN", deviceID: "" });
  assert.deepEqual(Ringline.getLocalUser(), user);
  assert.match(user.deviceID, /^[a-z0-9]+\.[a-z0-9]+$/);
  Ringline.unInit();
  assert.equal(Ringline.getLocalUser(), null);
  assert.equal((await rejected(Ringline.accept("c1"))).code, "disconnected");
  assert.throws(() => Ringline.renewToken(token("ann")), /call init first/);
});

test("an invalid argument is named", async () => {
  const all: [Parameters<typeof Ringline.init>, RegExp][] = [
    [["", edge.url, "ann", "Ann", token("ann")], /^appID: /],
    [["other", edge.url, "ann", "Ann", token("ann")], /^appID: must be the token's app, demo, got other$/],
    [["demo", "nowhere", "ann", "Ann", token("ann"), config], /^server: /],
    [["demo", edge.url, "", "Ann", token("ann")], /^userID: /],
    [["demo", edge.url, "bob", "Bob", token("ann")], /^userID: must be the token's sub, ann, got bob$/],
    [["demo", edge.url, "ann", 7 as never, token("ann")], /^userName: /],
    [["demo", edge.url, "ann", "Ann", ""], /^token: is missing/],
    [["demo", edge.url, "ann", "Ann", "rubbish"], /^token: is not a JWT/],
    [["demo", edge.url, "ann", "Ann", token("ann"), { ...config, transports: ["pigeon" as never] }], /^transports: /],
  ];
  for (const [args, message] of all) {
    const e = await rejected(Ringline.init(...args));
    assert.equal(e.code, "invalid_argument");
    assert.match(e.message, message);
    assert.equal(Ringline.getLocalUser(), null);
  }
  await Ringline.init(7, edge.url, "ann", "Ann", token("ann", { app: "7" }), config);
});

test("refused by the server: init rejects, and can be called again", async () => {
  edge.refuse = () => ({ code: 3500, reason: "invalid token" });
  assert.equal((await rejected(init())).code, "permission_denied");
  edge.refuse = () => undefined;
  await init();
});

test("init twice: one connection, the newer callbacks, and the newer token", async () => {
  const [a, b] = [recorder(), recorder()];
  const first = init(a.events);
  const second = init(b.events);
  assert.deepEqual(await first, await second);
  const again = token("ann", { n: 2 });
  await Ringline.init("demo", edge.url, "ann", "Ann", again, config, b.events);
  edge.connected[0]!.push(push(eveRings()));
  await pause();
  assert.equal(edge.connected.length, 1);
  assert.deepEqual(a.received.filter((h) => h.startsWith("onIncoming")), []);
  assert.equal(b.received.filter((h) => h.startsWith("onIncoming")).length, 1);
  edge.connected[0]!.end();
  assert.equal((await edge.next(2)).token, again);
  const other = await rejected(init({}, {}, "bob"));
  assert.match(other.message, /^userID: another session is open; call unInit first$/);
  Ringline.unInit();
  assert.equal((await init({}, {}, "bob")).userID, "bob");
});

test("React's StrictMode, init, unInit, init at once: one connection, and both promises resolve", async () => {
  const [a, b] = [recorder(), recorder()];
  const first = init(a.events);
  Ringline.unInit();
  assert.equal(Ringline.getLocalUser(), null);
  const second = init(b.events);
  await Promise.all([first, second]);
  await pause();
  assert.equal(edge.connected.length, 1);
  assert.deepEqual(a.received, [], "the first callbacks are replaced");
  assert.deepEqual(b.received, ['onConnectionStateChanged("connecting")', 'onConnectionStateChanged("connected")']);
});

test("unInit before the connection: the promise is rejected, and nothing connects", async () => {
  const { received, events } = recorder();
  const first = rejected(init(events));
  Ringline.unInit();
  assert.equal((await first).code, "disconnected");
  await pause(50);
  assert.deepEqual([edge.connected.length, edge.urls], [0, []]);
  assert.deepEqual(received, []);
});

test("unInit during a call: no more callbacks, the connection ends, pending promises are rejected", async () => {
  const { received, events } = recorder();
  await init(events);
  edge.onRPC = () => new Promise(() => {});
  const peer = edge.connected[0]!;
  peer.push(push(eveRings()));
  await pause();
  const accepted = rejected(Ringline.accept());
  received.length = 0;
  Ringline.unInit();
  peer.push(push({ ...eveRings("c1", 2), callees: [callee("ann", { state: "canceled" })] }));
  assert.equal((await accepted).code, "disconnected");
  await pause();
  assert.deepEqual(received, []);
  assert.deepEqual(Ringline.getCalls(), []);
});

test("callbacks are called as methods; missing ones are skipped", async () => {
  const { received, events } = recorder();
  await init({ onIncomingCallReceived: (...args) => events.onIncomingCallReceived?.(...args) });
  edge.connected[0]!.push(push(eveRings()));
  edge.connected[0]!.push(push({ ...eveRings("c1", 2), callees: [callee("ann", { state: "canceled" })] }));
  await pause();
  assert.deepEqual(received, [
    'onIncomingCallReceived("c1",{"userID":"zoe","userName":"Ann"},1,[{"userID":"ann","userName":""}],"")',
  ]);
});

test("an exception in a callback is passed to onError, and the session continues", async (t) => {
  t.mock.method(console, "error", () => {});
  const errors: string[] = [];
  const incoming: string[] = [];
  await init({
    onIncomingCallReceived(callID) {
      incoming.push(callID);
      throw new Error("boom");
    },
    onError: (e) => errors.push(`${e.code} ${e.message}`),
  });
  edge.connected[0]!.push(push(eveRings()));
  edge.connected[0]!.push(push(eveRings("c2")));
  await pause();
  assert.deepEqual(incoming, ["c1", "c2"]);
  assert.deepEqual(errors, Array(2).fill("internal an exception in a handler of incomingCallReceived: boom"));
  assert.equal(edge.connected.length, 1);
});

async function calls(invitation: CallInvitation, answer: (sent: Record<string, unknown>) => object) {
  let sent: Record<string, unknown> = {};
  edge.onRPC = async (_, data) => answer((sent = data as Record<string, unknown>));
  const result = await Ringline.sendCallInvitation(invitation);
  const { command_id, call_id, ...fields } = sent;
  return { result, fields, callID: call_id, commandID: command_id };
}

test("sendCallInvitation: the command and the result", async () => {
  await init();
  const invitation = {
    callees: [{ userID: "bob", userName: "Bob" }, { userID: "eve" }],
    callType: Ringline.CallType.videoCall,
    customData: "hi",
    timeout: 30,
    roomID: "room",
  };
  const { result, fields, callID } = await calls(invitation, (sent) => ({
    ok: true,
    call: call(1, {
      call_id: String(sent.call_id),
      callees: [callee("bob"), callee("eve", { state: "busy", reason: "line_busy" })],
    }),
  }));
  assert.deepEqual(fields, {
    callees: [{ user_id: "bob", user_name: "Bob" }, { user_id: "eve" }],
    call_type: 1,
    custom_data: "hi",
    ring_timeout_s: 30,
    room_id: "room",
    user_name: "ANN",
  });
  assert.deepEqual(result, {
    code: 0,
    callID,
    roomID: "room",
    state: "ringing",
    timeout: 30,
    errorUserList: [{ userID: "eve", reason: "line_busy" }],
    customData: "hi",
  });
});

test("sendCallInvitation: glare returns the existing call; a refusal rejects", async () => {
  await init();
  const invitation = { callees: [{ userID: "zoe" }], callType: Ringline.CallType.voiceCall };
  const active = { ...eveRings("first", 2), callees: [callee("ann", { state: "accepted" })] };
  const { result, callID } = await calls(invitation, () => ({ ok: true, call: active }));
  assert.equal(result.callID, "first");
  assert.notEqual(callID, "first");
  assert.deepEqual([result.timeout, result.customData, result.errorUserList], [60, "", []]);
  edge.onRPC = async () => ({ ok: false, error: { code: "caller_busy", message: "no" } });
  assert.equal((await rejected(Ringline.sendCallInvitation(invitation))).code, "caller_busy");
});

test("add: the command, its default call and the result; a refusal rejects", async () => {
  await init();
  const options = { callees: [{ userID: "bob" }, { userID: "eve" }], timeout: 20, customData: "join" };
  assert.equal((await rejected(Ringline.add(undefined, options))).message, "callID: there is no call here to add to");
  const mine = { user_id: "ann", device_id: Ringline.getLocalUser()!.deviceID, state: "in", at: "" } as const;
  edge.connected[0]!.push(push(eveRings("in1")));
  edge.connected[0]!.push(push(call(1, { call_id: "out", caller: mine, callees: [callee("bob")] })));
  await pause();
  let sent: Record<string, unknown> = {};
  edge.onRPC = async (method, data) => {
    sent = { method, ...(data as object), command_id: "" };
    const refused = [{ user_id: "bob", code: "already_exists" }];
    return { ok: true, refused, call: call(2, { call_id: "out", caller: mine, callees: [callee("bob"), callee("eve")] }) };
  };
  const result = await Ringline.add(undefined, options);
  assert.deepEqual(result, { callID: "out", errorUserList: [{ userID: "bob", reason: "already_exists" }] });
  const callees = [{ user_id: "bob" }, { user_id: "eve" }];
  assert.deepEqual(sent, { method: "add", command_id: "", call_id: "out", callees, ring_timeout_s: 20, custom_data: "join", seen: 1 });
  edge.onRPC = async () => ({ ok: false, error: { code: "already_exists", message: "no" } });
  assert.equal((await rejected(Ringline.add("out", options))).code, "already_exists");
});

test("without an id: the newest call here that fits", async () => {
  await init();
  const sent: string[] = [];
  edge.onRPC = async (method, data) => {
    const callID = (data as { call_id: string }).call_id;
    if (method !== "ring") sent.push(`${method} ${callID}`);
    return { ok: true, call: eveRings(callID, 0) }; // older than the known version
  };
  for (const verb of ["accept", "decline", "cancel", "leave", "end"] as const) {
    const e = await rejected(Ringline[verb]());
    assert.deepEqual([e.code, e.message], ["not_found", `callID: there is no call here to ${verb}`]);
  }
  const mine = { user_id: "ann", device_id: Ringline.getLocalUser()!.deviceID, state: "in", at: "" } as const;
  const peer = edge.connected[0]!;
  peer.push(push(eveRings("in1")));
  peer.push(push(eveRings("in2")));
  peer.push(push(call(1, { call_id: "out", caller: mine })));
  await pause();
  assert.deepEqual(Ringline.getCalls().map((c) => c.callID), ["in1", "in2", "out"]);
  await Ringline.accept();
  await Ringline.decline();
  await Ringline.cancel();
  await Ringline.end();
  await Ringline.leave();
  await Ringline.decline("in1", { reason: "busy" });
  assert.deepEqual(sent, ["accept in2", "decline in2", "cancel out", "end out", "leave out", "decline in1"]);
});

test("cancel before the answer to the invitation cancels it", async () => {
  await init();
  const sent: string[] = [];
  edge.onRPC = async (method, data) => {
    sent.push(method);
    await pause(20);
    return { ok: true, call: call(sent.length, { call_id: (data as { call_id: string }).call_id }) };
  };
  const invited = Ringline.sendCallInvitation({ callees: [{ userID: "bob" }], callType: 0 });
  await Ringline.cancel();
  await invited;
  assert.deepEqual(sent, ["invite", "cancel"]);
});

test("cancel without a connection: the invitation is never sent", async () => {
  edge.down.add("websocket").add("http_stream").add("sse");
  const { received, events } = recorder();
  const connected = init(events, { transports: ["websocket"] });
  const invited = rejected(Ringline.sendCallInvitation({ callees: [{ userID: "bob" }], callType: 0 }));
  await Ringline.cancel();
  assert.equal((await invited).code, "call_ended");
  const sent: string[] = [];
  edge.onRPC = async (method) => (sent.push(method), { ok: true });
  edge.down.clear();
  await connected;
  await pause();
  assert.deepEqual(sent, []);
  assert.ok(received.every((h) => h.startsWith("onConnectionStateChanged")));
});

test("an expiring token is reported; a token from getToken must be this user's", async () => {
  let warnings = 0;
  const exp = Date.parse("2026-11-24T10:00:20.000Z") / 1000; // 20 s after the server's clock
  await Ringline.init("demo", edge.url, "ann", "Ann", token("ann", { exp }), { ...config, onTokenWillExpire: () => warnings++ });
  await pause();
  assert.equal(warnings, 1);
  Ringline.unInit();
  await pause(1);
  const e = await rejected(Ringline.init("demo", edge.url, "ann", "Ann", "", { ...config, getToken: () => token("bob") }));
  assert.match(e.message, /^userID: must be the token's sub, bob, got ann$/);
});

test("the values of CallType and CallScenario", () => {
  assert.deepEqual({ ...Ringline.CallType }, { voiceCall: 0, videoCall: 1 });
  assert.equal(Ringline.CallScenario.CALL_INTIVATION, Ringline.CallScenario.CALL_INVITATION);
});

test("subscribe: the calls after each change, before init and across sessions; getCalls is a new array exactly then", async () => {
  const got: string[][] = [];
  const none = Ringline.getCalls();
  const stop = Ringline.subscribe((calls) => got.push(calls.map((c) => `${c.callID} ${c.phase}`)));
  await init();
  assert.equal(Ringline.getCalls().length, 0);
  edge.connected[0]!.push(push(eveRings()));
  await pause();
  assert.deepEqual(got, [["c1 ringing"]]);
  assert.equal(Ringline.getCalls(), Ringline.getCalls());
  Ringline.unInit();
  assert.deepEqual(got, [["c1 ringing"], []]);
  assert.equal(Ringline.getCalls(), none);
  await pause(1);
  await init();
  edge.connected[1]!.push(push(eveRings("c2")));
  await pause();
  stop();
  edge.connected[1]!.push(push(eveRings("c3")));
  await pause();
  assert.deepEqual(got, [["c1 ringing"], [], ["c2 ringing"]]);
});

test("onCallStarted comes with the room and the type; the result of an invitation has its state", async () => {
  const { received, events } = recorder();
  await init(events);
  const { result } = await calls({ callees: [{ userID: "zoe" }], callType: 0 }, () => ({
    ok: true,
    call: { ...eveRings("hers", 2), state: "active", callees: [callee("ann", { invited_by: "zoe", state: "accepted", device_id: Ringline.getLocalUser()!.deviceID })] },
  }));
  assert.equal(result.state, "active");
  assert.deepEqual(received.filter((h) => !h.startsWith("onConnection")), ['onCallStarted("hers","room",{"callType":1,"how":"glare"})']);
});

test("a call on another device: leave needs its id, take moves it here", async () => {
  const { received, events } = recorder();
  await init(events);
  const { deviceID } = Ringline.getLocalUser()!;
  const away = (device_id: string, seq: number) => call(seq, { state: "active", caller: { ...call(1).caller!, device_id }, callees: [callee("bob", { state: "accepted" })] });
  edge.connected[0]!.push(push(away("ann.other", 3)));
  await pause();
  assert.deepEqual(Ringline.getCalls().map((c) => c.phase), ["elsewhere"]);
  for (const verb of ["leave", "end", "cancel", "accept"] as const) assert.equal((await rejected(Ringline[verb]())).code, "not_found", verb);
  const sent: unknown[] = [];
  edge.onRPC = (method, data) => {
    sent.push([method, (data as { call_id: string }).call_id]);
    return Promise.resolve({ ok: true, call: away(method === "take" ? deviceID : "ann.other", 4) });
  };
  await Ringline.take();
  assert.deepEqual(Ringline.getCalls().map((c) => c.phase), ["active"]);
  await Ringline.leave("c1");
  assert.deepEqual(sent, [["take", "c1"], ["leave", "c1"]]);
  assert.equal(received.at(-1), 'onCallStarted("c1","room",{"callType":1,"how":"taken"})');
  assert.equal((await rejected(Ringline.take())).code, "not_found");
});

for (const [what, storage] of [
  ["without a storage", null],
  ["with a denied storage", { session: { getItem: () => null, setItem: () => { throw new Error("denied"); } } }],
] as const) {
  test(`a token that expires ${what}: one error, and renewToken continues as the same device`, async () => {
    const { received, events } = recorder();
    edge.ttl = 1;
    const { deviceID } = await init(events, { storage });
    edge.connected[0]!.push(push(eveRings()));
    await pause(3_500); // the client asks for another token again and again
    edge.connected[0]!.end(3005, "connection expired");
    for (let i = 0; i < 100 && Ringline.getCalls().length > 0 && !received.some((h) => h.endsWith('"disconnected")')); i++) await pause();
    await pause(100);
    const errors = received.filter((h) => h.startsWith("onError"));
    assert.equal(errors.length, 1, errors.join());
    assert.match(errors[0]!, /"permission_denied","message":"token: has expired/);
    edge.ttl = undefined;
    Ringline.renewToken(token("ann", { n: 2 }));
    assert.deepEqual((await edge.next(2)).data, { device: deviceID, showing: ["c1"] });
    await pause();
    assert.equal(received.filter((h) => h.startsWith("onCallEnded")).length, 1, "the snapshot lacks the call");
    assert.deepEqual(Ringline.getCalls(), []);
  });
}
