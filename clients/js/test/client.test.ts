import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { RinglineClient } from "../src/client/client.js";
import type { Internals } from "../src/client/internals.js";
import type { RinglineClientOptions } from "../src/client/options.js";
import { systemClock } from "../src/platform/clock.js";
import { RinglineError } from "../src/api/error.js";
import { FakeClock, FakeSession, rejected, settle, token } from "./fakes.js";
import { at, call, callee } from "./world.js";

const server = "https://edge.example.com";

async function world(options: RinglineClientOptions = {}, user = "ann") {
  const clock = new FakeClock();
  const sessions: FakeSession[] = [];
  const internals: Internals = {
    clock,
    makeSession: (o, l) => (sessions.push(new FakeSession(o, l)), sessions.at(-1)!),
  };
  const client = new RinglineClient({ server, token: token(user), storage: null, ...options }, internals);
  const received: string[] = [];
  client.on("connectionStateChanged", (state) => received.push(state));
  client.on("error", (e) => received.push(`error ${e.code}: ${e.message}`));
  client.on("incomingCallReceived", (callID) => received.push(`rings ${callID}`));
  client.on("outgoingCallAccepted", (callID, userID) => received.push(`accepted ${callID} ${userID}`));
  client.on("callEnded", (callID, _, { reason }) => received.push(`ended ${callID} ${reason}`));
  const connect = async (user_id = user, calls: Parameters<FakeSession["connect"]>[0] = []) => {
    const connected = client.connect();
    await settle();
    sessions.at(-1)!.connect(calls, { user_id });
    await connected;
    return sessions.at(-1)!;
  };
  return { clock, client, sessions, received, connect };
}

const eveRings = (seq = 1) => call(seq, { callees: [callee("eve", { attempt: 2, data: "hi" })] });

test("connect resolves with the first message of the server; a second connect uses the same session", async () => {
  const { client, sessions, received } = await world();
  const [a, b] = [client.connect(), client.connect()];
  await settle();
  assert.equal(sessions.length, 1);
  assert.equal(client.connectionState, "connecting");
  sessions[0]!.connect();
  await Promise.all([a, b, client.connect()]);
  assert.deepEqual(received, ["connecting", "connected"]);
  assert.match(client.deviceID, /^[a-z0-9]{25}\.[a-z0-9]{8}$/);
});

test("connect during a reconnect uses the same session, and resolves when it is connected", async () => {
  const { client, sessions, connect } = await world();
  const session = await connect();
  session.break();
  let back = false;
  const again = client.connect().then(() => (back = true));
  await settle();
  assert.deepEqual([sessions.length, back], [1, false]);
  session.connect();
  await again;
});

test("a callback that disconnects at once", async () => {
  const { client, received, sessions } = await world({}, "eve");
  client.on("incomingCallReceived", () => client.disconnect());
  const connected = rejected(client.connect());
  await settle();
  sessions[0]!.connect([{ call: eveRings() }], { user_id: "eve" });
  assert.equal((await connected).code, "disconnected");
  assert.deepEqual(received, ["connecting", "connected", "rings c1", "disconnected"]);
});

test("no callback follows one that disconnected: of a snapshot, of the state, of a token", async () => {
  const calls = [{ call: eveRings() }, { call: { ...eveRings(), call_id: "c2" } }];
  for (const [when, expected] of [
    ["incomingCallReceived", ["connecting", "connected", "rings c1", "disconnected"]],
    ["connected", ["connecting", "connected", "disconnected"]],
    ["connecting", ["connecting", "disconnected"]],
  ] as const) {
    let requests = 0;
    const getToken = () => (requests++, token("eve"));
    const { client, received, sessions, clock } = await world({ token: undefined as never, getToken }, "eve");
    client.on("incomingCallReceived", () => when === "incomingCallReceived" && client.disconnect());
    client.on("connectionStateChanged", (state) => state === when && client.disconnect());
    const connected = rejected(client.connect());
    await settle();
    sessions[0]?.connect(calls, { user_id: "eve" });
    assert.equal((await connected).code, "disconnected");
    await settle();
    assert.deepEqual(received, expected);
    assert.deepEqual([sessions.length, requests], when === "connecting" ? [0, 0] : [1, 1]);
    assert.equal(clock.pending, 0);
  }
});

test("a getToken that never settles is reported and retried, and renewToken replaces it; disconnect leaves nothing of it", async () => {
  let requests = 0;
  const getToken = () => (requests++, new Promise<string>(() => {}));
  const { clock, client, received, sessions } = await world({ token: undefined as never, getToken });
  const connected = client.connect();
  await clock.pass(16_000);
  assert.deepEqual([received, requests], [["connecting", "error unavailable: getToken: no token within 15 s"], 2]);
  client.renewToken(token("ann"));
  await settle();
  sessions[0]!.connect();
  await connected;
  client.disconnect();

  const again = await world({ token: undefined as never, getToken });
  const never = rejected(again.client.connect());
  again.client.disconnect();
  await never;
  assert.equal(again.clock.pending, 0);
  await again.clock.pass(60_000);
  assert.deepEqual(again.received, ["connecting", "disconnected"]);
});

test("the options of the session", async () => {
  const { sessions, connect } = await world({ server: ["wss://a.example.com/x/", "http://b"], transports: ["sse"], device: "phone" });
  await connect();
  const { servers, transports } = sessions[0]!.options;
  assert.deepEqual([servers, transports], [["https://a.example.com/x", "http://b"], ["sse"]]);
  assert.match(sessions[0]!.connectData.device ?? "", /^phone\.[a-z0-9]{8}$/);
  assert.deepEqual(sessions[0]!.connectData.showing, []);
});

test("invalid options are refused at once, by name", async () => {
  for (const [options, message] of [
    [{ server: "edge.example.com" }, /^server: /],
    [{ server: "https://h?token=x" }, /^server: /],
    [{ server: [] }, /^server: /],
    [{ server: "" }, /^server: .* no page/],
    [{ transports: ["carrier pigeon" as never] }, /^transports: /],
    [{ transports: [] }, /^transports: /],
    [{ token: "" }, /^token: .*missing/],
    [{ token: "a.b.c" }, /^token: .*JWT/],
    [{ token: token("") }, /^token: .*sub/],
  ] as const) {
    await assert.rejects(world(options as RinglineClientOptions), (e: RinglineError) => {
      assert.equal(e.code, "invalid_argument");
      assert.match(e.message, message);
      return true;
    });
  }
});

test("a device that is not the token's is refused before anything is sent", async () => {
  const { client, sessions } = await world({ token: token("ann", { device: "phone" }), device: "laptop" });
  const e = await rejected(client.connect());
  assert.equal(e.code, "invalid_argument");
  assert.match(e.message, /^device: /);
  assert.equal(sessions.length, 0);
});

test("an invitation by push is shown and called back, and ring is sent with its attempt; accept sends the attempt too", async () => {
  const { client, received, connect } = await world({}, "eve");
  const session = await connect("eve");
  session.push(eveRings(), { ring_remaining_ms: 20_000 });
  assert.deepEqual(received.slice(2), ["rings c1"]);
  assert.equal(client.calls.current[0]?.phase, "ringing");
  assert.equal(client.calls.current[0]?.ringRemaining(), 20_000);
  const ring = session.request1;
  assert.equal(ring.method, "ring");
  assert.deepEqual({ ...ring.data, command_id: "" }, { command_id: "", call_id: "c1", attempt: 2 });
  ring.answer({ ok: true, call: eveRings(2) });
  await settle();
  const accepted = client.accept("c1", { customData: "here I am" });
  const { method, data } = session.request1;
  assert.equal(method, "accept");
  assert.deepEqual({ ...data, command_id: "" }, { command_id: "", call_id: "c1", attempt: 2, custom_data: "here I am" });
  const entry = callee("eve", { attempt: 2, state: "accepted", device_id: client.deviceID });
  session.request1.answer({ ok: true, call: call(3, { state: "active", callees: [entry] }) });
  assert.equal((await accepted).state, "active");
  assert.equal(client.calls.current[0]?.phase, "active", "the answer updates the state at once");
  assert.deepEqual(received.slice(3), []);
});

const timedOut = (user: string) => callee(user, { state: "timed_out", reason: "timed_out", data: "hi", at: at(9) });

async function twoTimedOut() {
  const w = await world();
  w.client.on("outgoingCallTimeout", (callID, userID, data) => w.received.push(`timeout ${callID} ${userID} ${data}`));
  const session = await w.connect();
  const mine = { ...call(1).caller!, device_id: w.client.deviceID };
  session.push(call(1, { caller: mine }), { event: "outgoing_call_ringing" });
  w.received.splice(0);
  return { ...w, session, both: call(2, { caller: mine, callees: [timedOut("bob"), timedOut("eve"), callee("dan")] }) };
}

test("several notifications of one transition: the first has the call and makes all callbacks", async () => {
  const { received, session, both } = await twoTimedOut();
  session.push(both, { event: "outgoing_call_timeout", user_id: "bob", custom_data: "hi" });
  session.pushWithoutCall(both, { user_id: "eve", custom_data: "hi" });
  assert.deepEqual(received, ["timeout c1 bob hi", "timeout c1 eve hi"]);
  assert.equal(session.requests.length, 0);
});

test("a newer seq without its call: the call is read once, and each fact calls back once", async () => {
  const { received, session, both } = await twoTimedOut();
  session.pushWithoutCall(both, { user_id: "eve" });
  session.pushWithoutCall(both, { user_id: "fay" });
  await settle();
  assert.deepEqual(received, []);
  assert.deepEqual(session.requests.map((r) => [r.method, r.data]), [["get", { call_id: "c1" }]]);
  session.pushWithoutCall({ ...both, seq: 3 }, { user_id: "dan" });
  session.request1.answer({ ok: true, call: both });
  await settle();
  assert.deepEqual(received, ["timeout c1 bob hi", "timeout c1 eve hi"]);
  assert.deepEqual(session.requests.map((r) => r.method), ["get"], "a newer notification arrived in the meantime");
  session.request1.answer({ ok: true, call: { ...both, seq: 3, callees: [...both.callees.slice(0, 2), { ...both.callees[2]!, state: "ringing" }] } });
  await settle();
  session.push(both, { event: "outgoing_call_timeout", user_id: "bob" });
  session.pushWithoutCall(both, { user_id: "eve" });
  await settle();
  assert.deepEqual(received, ["timeout c1 bob hi", "timeout c1 eve hi"]);
  assert.equal(session.requests.length, 0);
});

test("a call that can't be read is left to the next snapshot, and read again after the next notification", async () => {
  const { received, session, both } = await twoTimedOut();
  for (const seq of [2, 3]) {
    session.pushWithoutCall({ ...both, seq });
    await settle();
    session.request1.answer({ ok: false, error: { code: "permission_denied", message: "" } });
    await settle();
  }
  assert.deepEqual(received, []);
});

test("every verb sends its fields", async () => {
  const { client, connect } = await world();
  const session = await connect();
  const sent = async (run: () => Promise<unknown>) => {
    run().catch(() => {});
    await settle();
    const { method, data } = session.request1;
    session.request1.answer({ ok: false, error: { code: "internal", message: "" } });
    await settle();
    const { command_id, ...fields } = data;
    assert.equal(typeof command_id, method === "get" || method === "line" ? "undefined" : "string");
    return [method, fields];
  };
  assert.deepEqual(
    await sent(() =>
      client.invite({
        callees: [{ userID: "bob", userName: "Bob" }, { userID: "eve" }],
        callType: 0,
        callID: "c7",
        roomID: "r",
        customData: "x",
        timeout: 30,
        userName: "Ann",
      }),
    ),
    [
      "invite",
      {
        call_id: "c7",
        callees: [{ user_id: "bob", user_name: "Bob" }, { user_id: "eve" }],
        call_type: 0,
        room_id: "r",
        custom_data: "x",
        ring_timeout_s: 30,
        user_name: "Ann",
      },
    ],
  );
  const [, plain] = await sent(() => client.invite({ callees: [{ userID: "bob" }], callType: 1 }));
  assert.match(String((plain as { call_id: string }).call_id), /^[a-z0-9]{25}$/);
  assert.deepEqual({ ...(plain as object), call_id: "" }, { call_id: "", callees: [{ user_id: "bob" }], call_type: 1 });
  assert.deepEqual(await sent(() => client.add("c1", { callees: [{ userID: "bob" }], timeout: 5 })), [
    "add",
    { call_id: "c1", callees: [{ user_id: "bob" }], ring_timeout_s: 5 },
  ]);
  assert.deepEqual(await sent(() => client.decline("c1", { reason: "busy", customData: "x" })), [
    "decline",
    { call_id: "c1", reason: "busy", custom_data: "x" },
  ]);
  assert.deepEqual(await sent(() => client.cancel("c1", { callees: ["bob"] })), ["cancel", { call_id: "c1", callees: ["bob"] }]);
  assert.deepEqual(await sent(() => client.cancel("c1")), ["cancel", { call_id: "c1" }]);
  assert.deepEqual(await sent(() => client.leave("c1")), ["leave", { call_id: "c1" }]);
  assert.deepEqual(await sent(() => client.take("c1")), ["take", { call_id: "c1" }]);
  assert.deepEqual(await sent(() => client.end("c1", { customData: "" })), ["end", { call_id: "c1" }]);
  assert.deepEqual(await sent(() => client.ring("c1")), ["ring", { call_id: "c1" }]);
  assert.deepEqual(await sent(() => client.get("c1")), ["get", { call_id: "c1" }]);
  assert.deepEqual(await sent(() => client.line()), ["line", {}]);
});

test("add resolves with the call and the outcome of each callee who does not ring", async () => {
  const { client, connect } = await world();
  const session = await connect();
  session.push(call(2, { callees: [callee("bob", { state: "ringing" })] }), { event: "outgoing_call_ringing", user_id: "bob" });
  await settle();
  const callees = ["bob", "carol", "dan", "eve", "ann"].map((userID) => ({ userID }));
  const added = client.add("c1", { callees });
  const canceled = client.cancel("c1", { callees: ["carol"] });
  await settle();
  const { method, data } = session.request1;
  assert.deepEqual([method, data.seen], ["add", 2]);
  session.request1.answer({
    ok: true,
    refused: [
      { user_id: "bob", code: "already_exists" },
      { user_id: "ann", code: "invalid_argument" },
    ],
    call: call(3, {
      callees: [
        callee("bob", { state: "timed_out", reason: "timed_out" }),
        callee("carol"),
        callee("dan", { state: "busy", reason: "line_busy" }),
        callee("eve", { state: "timed_out", reason: "timed_out" }),
        callee("fay", { state: "busy", reason: "line_busy" }),
      ],
    }),
  });
  const { callID, seq, errorUserList } = await added;
  assert.deepEqual([callID, seq], ["c1", 3]);
  assert.deepEqual(errorUserList, [
    { userID: "bob", reason: "already_exists" },
    { userID: "dan", reason: "line_busy" },
    { userID: "eve", reason: "timed_out" },
    { userID: "ann", reason: "invalid_argument" },
  ]);
  await settle();
  assert.deepEqual([session.request1.method, session.request1.data.seen], ["cancel", 3], "it cancels what the add began");
  session.request1.answer({ ok: true, call: call(4) });
  await canceled;
  const none = rejected(client.add("c1", { callees: [{ userID: "bob" }] }));
  await settle();
  session.request1.answer({ ok: false, error: { code: "already_exists", message: "" }, call: call(4) });
  assert.equal((await none).code, "already_exists");
});

test("every request of a session is a method of the client, which sends it with the call's id", async () => {
  const { client, connect } = await world();
  const session = await connect();
  const methods = client as unknown as Record<string, ((callID: string, options: object) => Promise<unknown>) | undefined>;
  const others = ["invite", "line", "list", "present"]; // without the id of a call; the last two are for backends
  for (const method of readdirSync("../../schemas/request").filter((name) => !others.includes(name))) {
    assert.ok(methods[method], `RinglineClient has no method ${method}`);
    methods[method]("c1", { callees: [{ userID: "bob" }], customData: "x" }).catch(() => {});
    await settle();
    const { method: sent, data } = session.request1;
    assert.deepEqual([sent, data.call_id], [method, "c1"]);
    session.request1.answer({ ok: false, error: { code: "internal", message: "" } });
    await settle();
  }
});

test("the client refuses arguments that the server would refuse under another name", async () => {
  const { client, connect } = await world();
  const session = await connect();
  for (const [options, message] of [
    [{ callees: [], callType: 0 }, /^callees: /],
    [{ callees: [{ userID: "" }], callType: 0 }, /^callees\[0\]\.userID: /],
    [{ callees: [{ userID: "bob" }], callType: 2 }, /^callType: /],
    [{ callees: [{ userID: "bob" }], callType: 0, timeout: 0.5 }, /^timeout: /],
    [{ callees: [{ userID: "bob" }], callType: 0, customData: {} }, /^customData: /],
    [{ callees: [{ userID: "bob" }], callType: 0, customData: "é\"".repeat(1025) }, /^customData: .* 4096 .* 4100$/],
    [{ callees: [{ userID: "b".repeat(60_000) }], callType: 0 }, /^a command must be at most 60000 bytes/],
  ] as const) {
    const e = await rejected(client.invite(options as never));
    assert.equal(e.code, "invalid_argument");
    assert.match(e.message, message);
  }
  assert.equal(session.requests.length, 0);
});

test("line returns ids", async () => {
  const { client, connect } = await world();
  const session = await connect();
  const line = client.line();
  session.request1.answer({ ok: true, calls: ["c1", "c2"] });
  assert.deepEqual(await line, ["c1", "c2"]);
});

test("each connect lists the shown calls; one that the snapshot lacks has ended", async () => {
  const { client, received, connect } = await world({}, "eve");
  const session = await connect("eve");
  session.push(eveRings());
  session.push({ ...eveRings(), call_id: "c2" });
  session.break();
  assert.equal(client.connectionState, "connecting");
  session.connect([{ call: eveRings() }], { user_id: "eve" });
  assert.deepEqual(session.connectData.showing, ["c1", "c2"]);
  assert.deepEqual(received.slice(2), ["rings c1", "rings c2", "connecting", "connected", "ended c2 timed_out"]);
  assert.deepEqual(client.calls.current.map((c) => c.callID), ["c1"]);
});

test("a pushed snapshot ends only calls that it lists as showing", async () => {
  const { client, received, connect } = await world({}, "eve");
  const session = await connect("eve");
  session.push(eveRings());
  session.push({ ...eveRings(), call_id: "c2" });
  const snapshot = { server_time: at(1), user_id: "eve", device_id: client.deviceID, calls: [], showing: ["c1"] };
  session.listener.onPush({ event: "snapshot", snapshot });
  assert.deepEqual(received.slice(4), ["ended c1 timed_out"]);
});

test("a reconnect does not repeat the ring command; one that was lost with the connection is sent again once", async () => {
  const { connect } = await world({}, "eve");
  const session = await connect("eve");
  session.push(eveRings());
  const id = session.request1.data.command_id;
  session.break();
  await settle();
  session.connect([{ call: eveRings() }], { user_id: "eve" });
  assert.equal(session.request1.data.command_id, id);
  session.request1.answer({ ok: true, call: eveRings(2) });
  await settle();
  session.break();
  session.connect([{ call: eveRings(2) }], { user_id: "eve" });
  assert.equal(session.requests.length, 0);
});

test("nothing is sent while the connection is down", async () => {
  const { clock, client, connect } = await world();
  const session = await connect();
  const ended = client.end("c1");
  session.break();
  await clock.pass(5_000);
  assert.equal(session.requests.length, 0);
  session.connect();
  session.request1.answer({ ok: true, call: call(2) });
  await ended;
});

test("an invitation is given up after its ring timeout, at most 30 s; other commands after 15 s", async () => {
  for (const [timeout, ms] of [[5, 5_000], [600, 30_000], [undefined, 30_000]] as const) {
    const { clock, client, connect } = await world();
    await connect();
    const options = { callees: [{ userID: "bob" }], callType: 0, ...(timeout ? { timeout } : {}) } as const;
    let code = "";
    client.invite(options).catch((e: RinglineError) => (code = e.code));
    await clock.pass(ms - 1);
    assert.equal(code, "");
    await clock.pass(1);
    assert.equal(code, "timeout");
  }
  const { clock, client, connect } = await world();
  await connect();
  const ended = rejected(client.end("c1"));
  await clock.pass(15_000);
  assert.equal((await ended).code, "timeout");
});

test("an invitation that is given up after it was sent is canceled; a refused one is not", async () => {
  const { clock, client, connect } = await world();
  const session = await connect();
  const invite = () => rejected(client.invite({ callees: [{ userID: "bob" }], callType: 0, callID: "c1", timeout: 20 }));
  const given = invite();
  await clock.pass(20_000);
  assert.equal((await given).code, "timeout");
  await settle();
  assert.deepEqual(session.requests.map((r) => [r.method, r.data.call_id]), [["invite", "c1"], ["cancel", "c1"]]);
  for (const r of [...session.requests]) r.answer({ ok: false, error: { code: "not_found", message: "" } });
  const refused = invite();
  await settle();
  session.request1.answer({ ok: false, error: { code: "caller_busy", message: "" } });
  assert.equal((await refused).code, "caller_busy");
  await settle();
  assert.equal(session.requests.length, 0);
});

test("an invitation whose first try may have been carried out is canceled, whatever later tries return", async (t) => {
  t.mock.method(Math, "random", () => 0.5); // no try just before the end of the ring time, which would get no answer
  for (const [answers, canceled] of [
    [["lost", "rate_limited"], true],
    [["unavailable", "rate_limited"], true],
    [["rate_limited"], false],
    [["lost", "exhausted"], true],
    [["exhausted"], false],
    [["lost", "caller_busy"], false],
  ] as const) {
    const { clock, client, connect } = await world();
    const session = await connect();
    const given = rejected(client.invite({ callees: [{ userID: "bob" }], callType: 0, callID: "c1", timeout: 20 }));
    for (let n = 0; clock.time < 20_000; await clock.pass(50)) {
      for (const r of session.requests.filter((r) => r.method === "invite")) {
        const code = answers[Math.min(n++, answers.length - 1)]!;
        if (code === "lost") r.lose();
        else r.answer({ ok: false, error: { code, message: "" } });
      }
    }
    assert.equal((await given).code, answers.at(-1));
    await settle();
    assert.deepEqual(session.requests.map((r) => r.method), canceled ? ["cancel"] : [], answers.join());
  }
});

test("an invitation that was never sent, because others went first, is not canceled", async () => {
  const { clock, client, connect } = await world();
  const session = await connect();
  for (let i = 0; i < 8; i++) void rejected(client.end(`e${i}`));
  const given = rejected(client.invite({ callees: [{ userID: "bob" }], callType: 0, callID: "c1", timeout: 5 }));
  await clock.pass(5_000);
  assert.equal((await given).code, "timeout");
  for (const r of [...session.requests]) r.answer({ ok: false, error: { code: "call_ended", message: "" } });
  await settle();
  assert.deepEqual(session.requests.map((r) => r.method), []);
});

test("without a connection: a command fails at once before connect, and waits while connecting", async () => {
  const { client, sessions } = await world();
  assert.equal((await rejected(client.end("c1"))).code, "disconnected");
  const connected = client.connect();
  const ended = client.end("c1");
  await settle();
  sessions[0]!.connect();
  await connected;
  sessions[0]!.request1.answer({ ok: true, call: call(2) });
  await ended;
});

test("a permanent refusal is reported once, and rejects every pending promise", async () => {
  const { clock, client, sessions, received } = await world();
  const connected = rejected(client.connect());
  const ended = rejected(client.end("c1"));
  await settle();
  sessions[0]!.listener.onDown(new RinglineError("permission_denied", "token: no"));
  assert.equal((await connected).code, "permission_denied");
  assert.equal((await ended).code, "permission_denied");
  assert.deepEqual(received, ["connecting", "disconnected", "error permission_denied: token: no"]);
  assert.equal(clock.pending, 0);
  assert.equal(sessions[0]!.isOpen, false);
});

test("a newer token reconnects a session that an older one ended", async () => {
  const { client, sessions, received, connect } = await world();
  const session = await connect();
  session.listener.onDown(new RinglineError("permission_denied", "token: has expired"));
  client.renewToken(token("ann", { exp: 1_795_600_000 }));
  await settle();
  sessions.at(-1)!.connect();
  assert.equal(sessions.length, 2);
  assert.equal(received.at(-1), "connected");
  assert.throws(() => client.renewToken(token("bob")), /^RinglineError: token: is for another user/);
  client.disconnect();
  client.renewToken(token("ann", { exp: 1_795_600_001 }));
  await settle();
  assert.equal(client.connectionState, "disconnected", "the app had ended that session itself");
});

test("disconnect leaves no session and no timer, and rejects pending promises", async () => {
  const { clock, client, sessions, received, connect } = await world({ onTokenWillExpire: () => {} });
  await connect();
  const ended = rejected(client.end("c1"));
  client.disconnect();
  client.disconnect();
  assert.equal((await ended).code, "disconnected");
  assert.equal(clock.pending, 0);
  assert.equal(sessions[0]!.isOpen, false);
  assert.deepEqual(received, ["connecting", "connected", "disconnected"]);
  await connect();
  assert.equal(sessions.length, 2);
});

test("disconnect releases the tab's id for the next client in this tab", async () => {
  const values = new Map<string, string>();
  const session = { getItem: (k: string) => values.get(k) ?? null, setItem: (k: string, v: string) => void values.set(k, v) };
  const device = async () => {
    const sessions: FakeSession[] = [];
    const makeSession: Internals["makeSession"] = (o, l) => (sessions.push(new FakeSession(o, l)), sessions[0]!);
    const options = { server, token: token("ann"), device: "d", storage: { session } };
    const client = new RinglineClient(options, { clock: systemClock, makeSession });
    const connected = client.connect();
    while (!sessions[0]) await new Promise((resolve) => setTimeout(resolve, 10));
    sessions[0].connect();
    await connected;
    return client;
  };
  const first = await device();
  first.disconnect();
  const second = await device();
  const third = await device();
  assert.equal(second.deviceID, first.deviceID);
  assert.notEqual(third.deviceID, first.deviceID);
  second.disconnect();
  third.disconnect();
});

test("disconnect before the connection: no session is opened", async () => {
  const { client, sessions } = await world();
  const connected = rejected(client.connect());
  client.disconnect();
  assert.equal((await connected).code, "disconnected");
  await settle();
  assert.equal(sessions.length, 0);
});

test("getToken provides the first token. If it fails, it is called again after a pause, and each cause is reported once", async () => {
  let requests = 0;
  const getToken = () => {
    if (++requests < 4) throw new Error(requests < 3 ? "offline" : "status 500");
    return Promise.resolve(token("ann", { device: "phone" }));
  };
  const clock = new FakeClock();
  const sessions: FakeSession[] = [];
  const client = new RinglineClient(
    { server, getToken, storage: null },
    { clock, makeSession: (o, l) => (sessions.push(new FakeSession(o, l)), sessions[0]!) },
  );
  const errors: string[] = [];
  client.on("error", (e) => errors.push(`${e.code}: ${e.message}`));
  const connected = client.connect();
  await settle();
  assert.equal(requests, 1);
  await clock.pass(4_000);
  assert.equal(requests, 4);
  assert.deepEqual(errors, ["unavailable: getToken: offline", "unavailable: getToken: status 500"]);
  sessions[0]!.connect();
  await connected;
  assert.match(client.deviceID, /^phone\./);
  client.disconnect();
  assert.equal(clock.pending, 0);
});

test("getToken returns null: refused", async () => {
  const { client } = await world({ token: undefined as never, getToken: () => null });
  assert.equal((await rejected(client.connect())).code, "permission_denied");
});

test("an expiring token is reported once, 30 s before its end by the server's clock", async () => {
  let warnings = 0;
  const exp = Date.parse(at(0)) / 1000 + 100;
  const { clock, client, connect } = await world({ token: token("ann", { exp }), onTokenWillExpire: () => warnings++ });
  const session = await connect();
  await clock.pass(69_000);
  assert.equal(warnings, 0);
  session.break();
  session.connect([], { server_time: "2026-11-24T10:01:09.000Z" });
  await clock.pass(1_000);
  assert.equal(warnings, 1);
  session.break();
  session.connect([], { server_time: "2026-11-24T10:01:15.000Z" });
  await clock.pass(5_000);
  assert.equal(warnings, 1);
  client.renewToken(token("ann", { exp: exp + 100 }));
  await clock.pass(95_000);
  assert.equal(warnings, 2);
});

test("an exception or a rejected promise in a handler is reported as an error, and has no other effect", async (t) => {
  const shown = t.mock.method(console, "error", () => {});
  const { client, received, connect } = await world({}, "eve");
  client.on("incomingCallReceived", () => {
    throw new Error("boom");
  });
  client.on("incomingCallReceived", async () => {
    await settle();
    throw new Error("later");
  });
  client.on("incomingCallReceived", (callID) => received.push(`also ${callID}`));
  client.on("error", () => {
    throw new Error("in the handler of errors");
  });
  client.calls.subscribe(() => {
    throw new Error("watching");
  });
  const session = await connect("eve");
  session.push(eveRings());
  await settle();
  await settle();
  const exceptions = (what: string) => received.filter((h) => h === `error internal: an exception in a handler of ${what}`).length;
  assert.equal(exceptions("incomingCallReceived: boom"), 1);
  assert.equal(exceptions("incomingCallReceived: later"), 1);
  assert.equal(exceptions("calls: watching"), 1);
  assert.ok(received.includes("rings c1") && received.includes("also c1"));
  assert.equal(shown.mock.callCount(), 6, "each is logged, also those of the error handler");
  assert.equal(session.request1.method, "ring", "and the session continues");
});

test("a removed handler gets no more events", async () => {
  const { client, connect } = await world({}, "eve");
  const received: string[] = [];
  const off = client.on("incomingCallReceived", (callID) => received.push(callID));
  const session = await connect("eve");
  session.push(eveRings());
  off();
  session.push({ ...eveRings(), call_id: "c2" });
  assert.deepEqual(received, ["c1"]);
});

test("calls: a new array exactly when something has changed, and the same object for an unchanged call", async () => {
  const { client, connect } = await world({}, "eve");
  const seen: number[] = [];
  const stop = client.calls.subscribe((calls) => seen.push(calls.length));
  const session = await connect("eve");
  session.push(eveRings());
  const [first] = client.calls.current;
  const before = client.calls.current;
  session.push(eveRings());
  assert.equal(client.calls.current, before);
  session.push({ ...eveRings(), call_id: "c2" });
  assert.notEqual(client.calls.current, before);
  assert.equal(client.calls.current[0], first);
  session.push({ ...eveRings(2), callees: [callee("eve", { attempt: 2, state: "canceled" })] });
  assert.deepEqual(client.calls.current.map((c) => c.callID), ["c2"]);
  stop();
  session.push({ ...eveRings(2), call_id: "c2", callees: [callee("eve", { attempt: 2, state: "canceled" })] });
  assert.deepEqual(seen, [1, 2, 1]);
});

test("the remaining ring time, if a frame does not state it: by the deadline and the server's clock", async () => {
  const { clock, client, connect } = await world();
  clock.time = 5_000;
  const session = await connect(); // at 10:00:00 by the server's clock
  const invited = client.invite({ callees: [{ userID: "bob" }], callType: 0, callID: "c1" });
  await clock.pass(2_000);
  const caller = { ...call(1).caller!, device_id: client.deviceID };
  session.request1.answer({ ok: true, call: call(1, { caller, callees: [callee("bob", { ring_deadline: at(30) })] }) });
  await invited;
  assert.equal(client.calls.current[0]?.ringRemaining(), 28_000);
});

test("an unreadable message is reported, and changes nothing", async () => {
  const { received, connect, client, sessions } = await world();
  const session = await connect();
  session.listener.onPush("what?");
  session.listener.onPush({ event: "call_ended" });
  assert.deepEqual(received.slice(2), ["error internal: a push can't be read", "error internal: a push can't be read"]);
  client.disconnect();
  const again = rejected(client.connect());
  await settle();
  sessions.at(-1)!.listener.connectData();
  sessions.at(-1)!.listener.onOpen({ hello: "I am not Ringline" });
  assert.match((await again).message, /^server: /);
});
