import assert from "node:assert/strict";
import { test } from "node:test";
import { Lost } from "../src/session/session.js";
import { transports } from "../src/session/rotation.js";
import { FakeEdge } from "./fakeedge.js";
import { token } from "./fakes.js";
import { edge, open } from "./opensession.js";

for (const transport of transports) {
  test(`${transport}: connect, push, request, end; the token is never in an address`, async (t) => {
    const e = await edge(t);
    const s = open(t, { edges: [e], by: [transport] });
    const peer = await e.next(1);
    await s.receives("open d.1");
    assert.deepEqual([peer.transport, peer.token, peer.data], [transport, token("ann"), { device: "d.1", showing: [] }]);
    peer.push({ n: 1, text: "ünï" });
    peer.push({ n: 2 });
    await s.until(() => s.pushes.length === 2);
    assert.deepEqual(s.pushes, [{ n: 1, text: "ünï" }, { n: 2 }]);
    assert.deepEqual(await s.session.request("end", { call_id: "c1" }), { ok: true, method: "end", data: { call_id: "c1" } });
    for (const url of e.urls) assert.match(url, /^\/(connection\/[a-z_]+|emulation)$/);
    s.session.close();
    await assert.rejects(s.session.request("end", {}), Lost);
    assert.deepEqual(s.received, ["open d.1"]);
  });

  test(`${transport}: a request whose connection breaks is lost, and the next connect lists the shown calls again`, async (t) => {
    const e = await edge(t);
    const s = open(t, { edges: [e], by: [transport] });
    const peer = await e.next(1);
    await s.receives("open");
    e.onRPC = () => new Promise(() => {});
    const request = s.session.request("end", {});
    s.showing.push("c1");
    setTimeout(() => peer.end(), 50);
    await assert.rejects(request, Lost);
    const again = await e.next(2);
    assert.deepEqual(again.data.showing, ["c1"]);
    await s.until(() => s.received.length === 3);
    assert.deepEqual(s.received, ["open d.1", "down", "open d.1"]);
  });

  test(`${transport}: a close code from 3500 on is permanent, a lower one is not`, async (t) => {
    const e = await edge(t);
    const s = open(t, { edges: [e], by: [transport] });
    (await e.next(1)).end(3001, "shutdown");
    (await e.next(2)).end(3503, "force disconnect");
    await s.receives("refused");
    assert.deepEqual(s.received.slice(-1), ["refused disconnected: refused by the server with code 3503, force disconnect"]);
    assert.equal(e.connected.length, 2);
  });

  test(`${transport}: refused at connect`, async (t) => {
    const e = await edge(t);
    e.refuse = () => ({ code: 3500, reason: "invalid token" });
    const s = open(t, { edges: [e], by: [transport] });
    await s.receives("refused");
    assert.deepEqual(s.received, ["refused permission_denied: token: refused by the server with code 3500, invalid token"]);
  });

  test(`${transport}: an expired token is replaced`, async (t) => {
    const e = await edge(t);
    const newer = token("ann", { n: 2 });
    e.refuse = (given) => (given === newer ? undefined : { code: 109, reason: "token expired" });
    const s = open(t, { edges: [e], by: [transport], getToken: () => newer });
    await s.receives("open");
    assert.equal(e.connected[0]?.token, newer);
    assert.deepEqual(s.received, ["open d.1"]);
  });
}

test("an expired token without another: refused, with an error that says what to do", async (t) => {
  const e = await edge(t);
  e.refuse = () => ({ code: 109, reason: "token expired" });
  const s = open(t, { edges: [e] });
  await s.receives("refused");
  assert.match(s.received[0] ?? "", /^refused permission_denied: token: has expired; pass getToken, or call renewToken/);
});

test("a getToken that returns expired tokens is reported once, and called again", async (t) => {
  const e = await edge(t);
  let requests = 0;
  const good = token("ann", { good: true });
  e.refuse = (given) => (given === good ? undefined : { code: 109, reason: "token expired" });
  const s = open(t, { edges: [e], getToken: () => (++requests < 3 ? token("ann", { requests }) : good) });
  await s.receives("open");
  const error = "error getToken: the server says that the new token has expired already";
  assert.deepEqual(s.received, [error, "open d.1"]);
  assert.equal(requests, 3);
});

for (const what of ["fails", "gives expired tokens"]) {
  test(`a listener that closes the session because getToken ${what}: it stays closed`, async (t) => {
    const e = await edge(t);
    let requests = 0;
    e.refuse = () => ({ code: 109, reason: "token expired" });
    const getToken = () => (requests++, what === "fails" ? Promise.reject(new Error("no")) : token("ann", { requests }));
    const s = open(t, { edges: [e], getToken, onError: () => s.session.close() });
    await s.receives("error");
    await new Promise((resolve) => setTimeout(resolve, 1600)); // longer than the pause
    assert.deepEqual([requests, s.received.length], [1, 1]);
  });
}

test("a session that expired (3005) reconnects with a new token", async (t) => {
  const e = await edge(t);
  const s = open(t, { edges: [e], getToken: () => token("ann", { n: 2 }) });
  (await e.next(1)).end(3005, "connection expired");
  assert.equal((await e.next(2)).token, token("ann", { n: 2 }));
  await s.receives("down");
});

test("a token that expires while connected is replaced", async (t) => {
  const e = await edge(t);
  e.ttl = 1;
  const s = open(t, { edges: [e], by: ["websocket"], getToken: () => token("ann", { n: 2 }) });
  await s.receives("open");
  while (e.refreshed.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(e.refreshed, [token("ann", { n: 2 })]);
  assert.deepEqual(s.received, ["open d.1"]);
});

test("if WebSocket does not get through, it falls back and keeps the transport that works", async (t) => {
  const e = await edge(t);
  e.down.add("websocket");
  open(t, { edges: [e] });
  assert.equal((await e.next(1)).transport, "http_stream");
  e.down.add("http_stream");
  e.connected[0]?.end();
  assert.equal((await e.next(2)).transport, "sse");
  e.down.clear();
  e.connected[1]?.end();
  assert.equal((await e.next(3)).transport, "http_stream", "the first one that worked; sse was a single fallback");
});

test("an edge dies: it reconnects at the next one, with the same transport", async (t) => {
  const [a, b] = [await edge(t), await edge(t)];
  const s = open(t, { edges: [a, b] });
  await a.next(1);
  const { port } = a;
  await a.kill();
  assert.equal((await b.next(1)).transport, "websocket");
  await s.until(() => s.received.length === 3);
  const back = await new FakeEdge().start(port);
  t.after(() => back.kill());
  await b.kill();
  assert.equal((await back.next(1)).transport, "websocket");
  await s.until(() => s.received.length === 5);
  assert.deepEqual(s.received, ["open d.1", "down", "open d.1", "down", "open d.1"]);
});

test("the first edge is down from the start: the next one is tried at once", async (t) => {
  const [a, b] = [await edge(t), await edge(t)];
  const began = Date.now();
  await a.kill().catch(() => {});
  const dead = { url: "http://127.0.0.1:9" } as FakeEdge;
  open(t, { edges: [dead, b] });
  await b.next(1);
  assert.ok(Date.now() - began < 20_000);
});

test("an edge that can't accept now (100, temporary) is retried after a pause, with the same transport", async (t) => {
  const e = await edge(t);
  let requests = 0;
  e.refuse = () => (++requests < 3 ? { code: 100, reason: "unavailable", temporary: true } : undefined);
  const s = open(t, { edges: [e] });
  assert.equal((await e.next(1)).transport, "websocket");
  assert.equal(requests, 3);
  await s.receives("open");
});

test("a getToken that fails is called again", async (t) => {
  const e = await edge(t);
  let requests = 0;
  const getToken = () => (++requests < 2 ? Promise.reject(new Error("no network")) : token("ann", { n: 2 }));
  e.refuse = (given) => (given === token("ann") ? { code: 109, reason: "token expired" } : undefined);
  const s = open(t, { edges: [e], getToken });
  await s.receives("open");
  assert.deepEqual(s.received, ["error getToken: no network", "open d.1"]);
});

test("a session that is closed at any moment emits nothing and leaves nothing", async (t) => {
  const e = await edge(t);
  for (const after of [0, 1, 5, 20, 60]) {
    const s = open(t, { edges: [e] });
    await new Promise((resolve) => setTimeout(resolve, after));
    s.session.close();
    const before = s.received.length;
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.equal(s.received.length, before);
  }
});
