import assert from "node:assert/strict";
import { createServer as createHTTP } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import WebSocket from "ws";
import type { CallError } from "../src/api/callbacks.js";
import { RinglineClient } from "../src/client/client.js";
import { Ringline } from "../src/kit/kit.js";
import { systemClock } from "../src/platform/clock.js";
import { transports } from "../src/session/rotation.js";
import { FakeEdge } from "./fakeedge.js";
import { token } from "./fakes.js";
import { edge, open } from "./opensession.js";
import { Swallow } from "./swallow.js";
import { at, call, callee, push } from "./world.js";

// Connections that fail, or are dead without a sign. The sockets are real.

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A server that answers every request with a status. */
async function answering(t: TestContext, status: number): Promise<string> {
  const server = createHTTP((_, response) => response.writeHead(status).end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test("init with a wrong port: onError says so once, and init resolves when a server is there", async (t) => {
  const port = await freePort();
  const errors: CallError[] = [];
  const config = { webSocket: WebSocket, storage: null, connectTimeout: 5_000 };
  const connected = Ringline.init("demo", `http://127.0.0.1:${port}`, "ann", "Ann", token("ann"), config, { onError: (e) => void errors.push(e) });
  t.after(() => Ringline.unInit());
  await pause(6_000); // several rounds, and the timeout
  assert.equal(errors.length, 1);
  assert.equal(errors[0]?.code, "unavailable");
  assert.match(errors[0].message, new RegExp(`^no connection to http://127.0.0.1:${port}: ECONNREFUSED; nothing answers;`));
  const late = await new FakeEdge().start(port);
  t.after(() => late.kill());
  await connected;
});

for (const [what, status, reason] of [
  ["a wrong path", 404, /: status 404: no Ringline edge answers; is the path right\?$/],
  ["a refused origin", 403, /: it refuses this page's origin: allow them with `ringline app set APP --origin ORIGIN`$/],
  ["a proxy without an edge", 502, /: status 502: it is starting or stopping, or a proxy does not reach it$/],
  ["a proxy that blocks sessions", 405, /: it answers, but no session opens; /],
] as const) {
  test(`${what} is reported once, with the address and the likely reason`, async (t) => {
    const url = await answering(t, status);
    const s = open(t, { edges: [{ url: `${url}/path` } as FakeEdge] });
    await s.receives("error");
    assert.ok(s.received[0]?.startsWith(`error no connection to ${url}/path: `), s.received[0]);
    assert.match(s.received[0] ?? "", reason);
    await pause(1_500);
    assert.equal(s.received.length, 1);
  });
}

test("a server that accepts and says nothing is reported after connectTimeout", async (t) => {
  const silent = createServer((socket) => void socket.on("error", () => {}));
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  t.after(() => silent.close());
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const began = Date.now();
  const s = open(t, { edges: [{ url } as FakeEdge], connectTimeout: 1_000 });
  await s.receives("error");
  assert.ok(Date.now() - began < 4_000);
  assert.deepEqual(s.received, [`error no connection to ${url}: no answer within 1 s`]);
});

test("a connection that breaks for a moment is no error", async (t) => {
  const [a, b] = [await edge(t), await edge(t)];
  const s = open(t, { edges: [a, b], connectTimeout: 30_000 });
  await s.receives("open");
  await Promise.all([a.kill(), b.kill()]);
  await s.receives("down");
  await pause(1_500);
  assert.deepEqual(s.received, ["open d.1", "down"]);
});

for (const transport of transports) {
  test(`${transport}: too many sessions (4004, or 3504 of an older edge) is temporary: retried with growing pauses, reported once`, async (t) => {
    for (const code of transport === "websocket" ? [4004, 3504] : [4004]) {
      const e = await edge(t);
      const tries: number[] = [];
      e.refuse = () => (tries.push(Date.now()) < 3 ? { code, reason: "too many" } : undefined);
      const s = open(t, { edges: [e], by: [transport] });
      await s.receives("open");
      const error = "error too many sessions of this user (too many); the client keeps trying";
      assert.deepEqual(s.received, [error, "open d.1"]);
      assert.ok(tries[2]! - tries[0]! > 500, `${tries}`);
      e.connected[0]!.end(code, "too many");
      await e.next(2);
      assert.deepEqual(s.received.filter((h) => h.startsWith("error")), [error]);
    }
  });
}

test("a server that accepts no session now (100) is reported once", async (t) => {
  const e = await edge(t);
  let tries = 0;
  e.refuse = () => (++tries < 4 ? { code: 100, reason: "unavailable", temporary: true } : undefined);
  const s = open(t, { edges: [e] });
  await s.receives("open");
  assert.deepEqual(s.received, ["error the server accepts no session now: unavailable", "open d.1"]);
});

test("two pages with one device id (4501): the older one takes another id and reconnects once, and neither chases the other", async (t) => {
  const e = await edge(t);
  const older = open(t, { edges: [e], devices: ["d.1", "d.2", "d.3"] });
  const first = await e.next(1);
  const newer = open(t, { edges: [e], devices: ["d.1", "d.4"] });
  await e.next(2);
  await newer.receives("open");
  first.end(4501, "a newer session of this device");
  const again = await e.next(3);
  assert.equal(again.data.device, "d.2");
  await older.receives("open d.2");
  await pause(300);
  assert.deepEqual([older.received, newer.received], [["open d.1", "down", "open d.2"], ["open d.1"]]);
  again.end(4501, "a newer session of this device");
  await older.receives("refused");
  assert.match(older.received.at(-1) ?? "", /^refused disconnected: device: another page keeps taking this device's id; /);
  assert.equal(e.connected.length, 3);
});

test("4501 to a page that closes its session because of it: it stays closed", async (t) => {
  const e = await edge(t);
  const s = open(t, { edges: [e], devices: ["d.1", "d.2"], onDown: () => s.session.close() });
  (await e.next(1)).end(4501, "replaced");
  await s.receives("down");
  await pause(1_000);
  assert.deepEqual([s.received, e.connected.length], [["open d.1", "down"], 1]);
});

test("a page whose own reconnect replaced its session (4501) does nothing", async (t) => {
  const e = await edge(t);
  const proxy = await new Swallow(e.port).start();
  t.after(() => proxy.stop());
  const network = new EventTarget();
  const s = open(t, { edges: [{ url: proxy.url } as FakeEdge], networkEventTarget: network });
  const first = await e.next(1);
  await s.receives("open");
  proxy.swallow();
  network.dispatchEvent(new Event("offline"));
  network.dispatchEvent(new Event("online"));
  await e.next(2);
  first.end(4501, "a newer session of this device");
  await s.until(() => s.received.length === 3);
  await pause(200);
  assert.deepEqual([s.received, e.connected.length], [["open d.1", "down", "open d.1"], 2]);
});

test("4501 soon after an attempt was given up may be about that attempt: the id stays, once", async (t) => {
  const e = await edge(t);
  e.down.add("websocket");
  const s = open(t, { edges: [e], devices: ["d.1", "d.2"] });
  (await e.next(1)).end(4501, "replaced");
  const again = await e.next(2);
  assert.equal(again.data.device, "d.1");
  again.end(4501, "replaced");
  assert.equal((await e.next(3)).data.device, "d.2");
  await s.receives("open d.2");
});

test("half-open: a call reaches the phone within the ping interval + 4 s + 1 s for a new connection", async (t) => {
  const e = await edge(t);
  Object.assign(e, { ping: 2, pings: true });
  const proxy = await new Swallow(e.port).start();
  t.after(() => proxy.stop());
  const client = new RinglineClient({ server: proxy.url, token: token("ann"), webSocket: WebSocket, storage: null });
  t.after(() => client.disconnect());
  const rings = new Promise((resolve) => client.on("incomingCallReceived", resolve));
  await client.connect();
  await pause(4_500); // two pings keep it open
  assert.equal(e.connected.length, 1);
  proxy.swallow();
  const began = Date.now();
  const ringing = call(1, { callees: [callee("ann")], caller: { ...call(1).caller!, user_id: "zoe" } });
  e.connected[0]!.push(push(ringing, { event: "incoming_call_received", ring_remaining_ms: 30_000 }));
  e.snapshot = { calls: [{ call: ringing, ring_remaining_ms: 24_000 }] };
  assert.equal(await rings, "c1");
  assert.ok(Date.now() - began < 7_000, `after ${Date.now() - began} ms`);
});

for (const what of ["a push that waited in the socket", "nothing at all"]) {
  test(`after a sleep, ${what}: it connects again, and only the new snapshot counts`, async (t) => {
    const e = await edge(t);
    let slept = 0;
    const clock = { ...systemClock, now: () => systemClock.now() + slept };
    const s = open(t, { edges: [e], clock });
    const first = await e.next(1);
    await s.receives("open");
    slept = 20_000;
    if (what !== "nothing at all") first.push({ event: "call_ended", server_time: at(0) });
    const began = Date.now();
    await e.next(2);
    assert.ok(Date.now() - began < 6_500, `after ${Date.now() - began} ms`);
    await s.until(() => s.received.length === 3);
    assert.deepEqual([s.received, s.pushes], [["open d.1", "down", "open d.1"], []]);
  });
}
