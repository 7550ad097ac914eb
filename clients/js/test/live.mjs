// Makes real calls from Node, over each transport, against the `ringline dev` at the given address. Without an address
// it starts one: node test/live.mjs ['http://127.0.0.1:8080/?key=…']. The browser scenarios are in browser/.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import WebSocket from "ws";
import { Ringline, RinglineClient } from "../dist/index.mjs";

const { origin: server, search: key } = new URL(process.argv[2] ?? (await start()));
const users = ["ann", "bob", "eve"];
let run = 0;

for (const transport of ["websocket", "http_stream", "sse"]) {
  run++;
  const [ann, bob, eve] = await Promise.all(users.map((u) => phone(`${u}${run}`, transport)));
  const bob2 = await phone(`bob${run}`, transport);

  // Bob has two devices and answers on one. Eve declines. Ann receives both outcomes.
  const invited = Date.now();
  const call = await ann.client.invite({ callees: [{ userID: bob.id }, { userID: eve.id }], callType: 1, customData: "hi", timeout: 20 });
  const { callID } = call;
  await bob.receives(`incomingCallReceived ${callID}`);
  await bob2.receives(`incomingCallReceived ${callID}`);
  await eve.receives(`incomingCallReceived ${callID}`);
  await ann.receives(`outgoingCallRinging ${callID} ${bob.id}`);
  await ann.receives(`outgoingCallRinging ${callID} ${eve.id}`);
  const left = bob.client.calls.current[0].ringRemaining();
  assert.ok(left > 19_000 - (Date.now() - invited) && left <= 20_000, `${left} ms left`);
  assert.equal((await bob.client.accept(callID)).state, "active");
  await eve.client.decline(callID, { customData: "no" });
  await ann.receives(`outgoingCallAccepted ${callID} ${bob.id}`);
  await ann.receives(`outgoingCallDeclined ${callID} ${eve.id}`);
  await bob2.receives(`incomingCallAnsweredElsewhere ${callID}`);
  await bob2.receives(`callEnded ${callID} answered_elsewhere`);
  await eve.receives(`callEnded ${callID} declined`);
  const late = await bob2.client.accept(callID).catch((e) => e);
  assert.equal(late.code, "answered_elsewhere");
  assert.deepEqual(await bob.client.line(), [callID]);
  assert.equal((await bob.client.get(callID)).seq, bob.client.calls.current[0].seq);
  await bob.client.leave(callID);
  await ann.receives(`callEnded ${callID} completed`);
  await bob.receives(`callEnded ${callID} completed`);

  // Eve is offline while her invitation is canceled, and receives that when she is back.
  const second = await ann.client.invite({ callees: [{ userID: eve.id }], callType: 0 });
  await eve.receives(`incomingCallReceived ${second.callID}`);
  eve.client.disconnect();
  await ann.client.cancel(second.callID, { customData: "sorry" });
  await eve.client.connect();
  await eve.receives(`incomingCallCanceled ${second.callID} sorry`);
  await eve.receives(`callEnded ${second.callID} canceled`);

  // Both call each other at the same time: one call, accepted.
  const [a, b] = await Promise.all([
    ann.client.invite({ callees: [{ userID: bob.id }], callType: 0 }),
    bob.client.invite({ callees: [{ userID: ann.id }], callType: 0 }),
  ]);
  assert.equal(a.callID === b.callID || a.state === "active" || b.state === "active", true);
  const shown = new Set([ann, bob].flatMap((p) => p.client.calls.current.map((c) => c.callID)));
  assert.equal(shown.size, 1);
  for (const p of [ann, bob]) await p.until(() => p.client.calls.current[0]?.phase === "active", "active");
  await ann.client.leave([...shown][0]);
  for (const p of [ann, bob]) await p.receives(`callEnded ${[...shown][0]} completed`);

  for (const p of [ann, bob, bob2, eve]) {
    assert.deepEqual(p.received, [...new Set(p.received)], "no callback twice");
    p.client.disconnect();
  }
  console.log(`${transport}: ok`);
}

// Permanent refusals.
for (const [options, code] of [
  [{ token: (await token("ann")).replace(/.{8}$/, "AAAAAAAA") }, "permission_denied"],
  [{ token: await token("ann"), device: "x".repeat(200) }, "invalid_argument"],
]) {
  const client = new RinglineClient({ server, webSocket: WebSocket, storage: null, ...options });
  const error = await client.connect().then(() => undefined, (e) => e);
  assert.equal(error?.code, code, error?.message);
}

// The kit.
const incoming = [];
await Ringline.init("demo", server, "zoe", "Zoe", await token("zoe"), { webSocket: WebSocket, storage: null }, {
  onIncomingCallReceived: (...args) => incoming.push(args),
});
const caller = await phone("ann", "websocket");
const { callID } = await caller.client.invite({ callees: [{ userID: "zoe" }], callType: 1 });
await caller.receives(`outgoingCallRinging ${callID} zoe`);
assert.deepEqual(incoming, [[callID, { userID: "ann", userName: "ann" }, 1, [{ userID: "zoe", userName: "" }], ""]]);
await Ringline.decline();
await caller.receives(`callEnded ${callID} declined`);
Ringline.unInit();
caller.client.disconnect();
console.log("refusals and kit: ok");

async function phone(id, transport) {
  const client = new RinglineClient({ server, token: await token(id), transports: [transport], webSocket: WebSocket, storage: null });
  const received = [];
  let wake = () => {};
  const record = (...words) => (received.push(words.join(" ")), wake());
  client.on("incomingCallReceived", (c) => record("incomingCallReceived", c));
  client.on("incomingCallCanceled", (c, _, data) => record("incomingCallCanceled", c, data));
  client.on("incomingCallAnsweredElsewhere", (c) => record("incomingCallAnsweredElsewhere", c));
  client.on("incomingCallDeclinedElsewhere", (c) => record("incomingCallDeclinedElsewhere", c));
  client.on("outgoingCallRinging", (c, u) => record("outgoingCallRinging", c, u));
  client.on("outgoingCallAccepted", (c, u) => record("outgoingCallAccepted", c, u));
  client.on("outgoingCallDeclined", (c, u) => record("outgoingCallDeclined", c, u));
  client.on("callEnded", (c, _, { reason }) => record("callEnded", c, reason));
  client.on("error", (e) => record("error", e.code, e.message));
  client.calls.subscribe(() => wake());
  const until = async (holds, what) => {
    const timer = setTimeout(() => wake(), 60_000);
    for (const by = Date.now() + 60_000; !holds(); ) {
      if (Date.now() > by) throw new Error(`${id} by ${transport} waits for ${what}, received ${received.join(", ")}`);
      await new Promise((resolve) => (wake = resolve));
    }
    clearTimeout(timer);
  };
  await client.connect();
  return { id, client, received, until, receives: (what) => until(() => received.includes(what), what) };
}

async function token(user) {
  const response = await fetch(`${server}/dev/token${key}&user_id=${user}&user_name=${user}`);
  return (await response.json()).token;
}

async function start() {
  const port = await new Promise((resolve) => {
    const s = createServer().listen(0, "127.0.0.1", () => {
      const { port } = s.address();
      s.close(() => resolve(port));
    });
  });
  const { RINGLINE_BIN, ...env } = process.env; // it refuses RINGLINE_ variables that are not settings
  const program = RINGLINE_BIN ?? "go";
  const args = RINGLINE_BIN ? [] : ["run", "../../cmd/ringline"];
  const child = spawn(program, [...args, "dev", "--memory", "--port", "0", "--http", `127.0.0.1:${port}`], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  child.unref();
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (printed += text));
  child.stdout.unref();
  process.on("exit", () => process.kill(-child.pid));
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
  const address = `http://127.0.0.1:${port}`;
  for (let i = 0; ; i++) {
    const ready = await fetch(`${address}/readyz`).then((r) => r.ok, () => false);
    const [url] = printed.match(/http:\S+\?key=\w+/) ?? [];
    if (ready && url) return url;
    if (i > 600) throw new Error("ringline dev does not become ready");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
