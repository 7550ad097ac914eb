import assert from "node:assert/strict";
import { test } from "node:test";
import { RinglineError } from "../src/api/error.js";
import { eventSourceOver, EventParser } from "../src/session/eventsource.js";
import { Rotation, type Transport } from "../src/session/rotation.js";
import { endpointOf, emulationOf, readServers } from "../src/session/servers.js";
import { readClaims, Tokens } from "../src/session/tokens.js";
import { FakeClock, rejected, settle, token } from "./fakes.js";

test("events are split out of a stream, however it is chunked", () => {
  const stream = ': hello\r\ndata: {"a":\r\ndata: 1}\r\n\r\nevent: x\ndata:two\nid: 7\n\n\n\rdata\r\rdata:  three\n\ndata: not over';
  for (const size of [1, 2, 3, 7, 1000]) {
    const got: string[] = [];
    const parser = new EventParser((data) => got.push(data));
    for (let i = 0; i < stream.length; i += size) parser.push(stream.slice(i, i + size));
    assert.deepEqual(got, ['{"a":\n1}', "two", "", " three"], `in pieces of ${size}`);
  }
});

test("an event source posts the connect command, removes it from the address, and reads partial characters", async () => {
  const requests: [string, RequestInit][] = [];
  const stream = (text: string) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of new TextEncoder().encode(text)) controller.enqueue(new Uint8Array([byte]));
        controller.close();
      },
    });
  const answers = [new Response(stream("data: ünï 🎈\n\n")), new Response("no", { status: 403 })];
  const Source = eventSourceOver((url, options) => {
    requests.push([String(url), options ?? {}]);
    return Promise.resolve(answers.shift()!);
  });
  for (const want of [["open", "ünï 🎈", "error: the stream ended"], ["error: status 403"]]) {
    const received: string[] = [];
    await new Promise<void>((resolve) => {
      const source = new Source("https://h/connection/sse?x=1&cf_connect=%7B%22token%22%3A%22t%22%7D");
      source.onopen = () => received.push("open");
      source.onmessage = ({ data }) => received.push(data);
      source.onerror = ({ error }) => (received.push(`error: ${(error as Error).message}`), resolve());
    });
    assert.deepEqual(received, want);
  }
  const [url, { method, body }] = requests[0]!;
  assert.deepEqual([url, method, body], ["https://h/connection/sse?x=1", "POST", '{"token":"t"}']);
});

function rotation(servers: string[], transports: Transport[] = ["websocket", "http_stream"]) {
  const r = new Rotation(servers, transports, () => 0.5);
  return { r, next: () => (({ address, pause }) => `${address.transport} ${address.server} ${Math.round(pause)}`)(r.next()) };
}

test("the first round tries every server with the best transport, then with the next, without a pause; then pauses grow", () => {
  const { next } = rotation(["a", "b"]);
  assert.deepEqual([1, 2, 3, 4].map(next), ["websocket a 0", "websocket b 0", "http_stream a 0", "http_stream b 0"]);
  assert.deepEqual([1, 2, 3, 4].map(next), ["websocket a 275", "websocket b 0", "http_stream a 0", "http_stream b 0"]);
  const pauses = Array.from({ length: 48 }, next).filter((_, i) => i % 4 === 0).map((s) => Number(s.split(" ")[2]));
  assert.deepEqual(pauses.slice(0, 4), [1000, 1500, 2500, 4500]);
  assert.equal(pauses.at(-1), 20_000);
});

test("after a lost connection the next server is first, with the best transport unless that failed in two rounds", () => {
  const { r, next } = rotation(["a", "b", "c"]);
  const lost = () => (r.connected(), r.lost(60_000));
  for (let i = 0; i < 4; i++) next();
  lost(); // http_stream a: maybe an accident
  assert.deepEqual([1, 2, 3, 4].map(next), ["websocket b 275", "websocket c 0", "websocket a 0", "http_stream b 0"]);
  lost();
  assert.equal(next(), "http_stream c 275");
  lost();
  assert.deepEqual([1, 2, 3, 4].map(next), ["http_stream a 275", "http_stream b 0", "http_stream c 0", "websocket a 0"]);
  lost(); // websocket works again
  assert.deepEqual([1, 2, 3, 4].map(next), ["websocket b 275", "websocket c 0", "websocket a 0", "http_stream b 0"]);
  lost(); // and has failed in one round since
  assert.equal(next(), "websocket c 275");
});

test("rounds without a connection, as without a network, do not count against a transport", () => {
  const { r, next } = rotation(["a"], ["websocket", "http_stream", "sse"]);
  for (let i = 0; i < 3 * 5 + 2; i++) next();
  r.connected(); // http_stream
  r.lost(60_000);
  assert.deepEqual([1, 2, 3].map(next), ["websocket a 275", "http_stream a 0", "sse a 0"]);
  r.connected(); // sse, which is no better than http_stream
  r.lost(60_000);
  assert.deepEqual([1, 2, 3].map(next), ["http_stream a 275", "websocket a 0", "sse a 0"]);
});

test("a connection that lasts resets the pauses, one that breaks at once does not", () => {
  const { r, next } = rotation(["a"]);
  next();
  const lost = (ms: number) => {
    r.connected();
    r.lost(ms);
    return next();
  };
  assert.deepEqual([60_000, 10, 10, 6_000].map(lost), ["websocket a 275", "websocket a 1000", "websocket a 1500", "websocket a 275"]);
});

test("after a server that answers that it can't, the next server is tried after a pause, and no other transport", () => {
  const { r, next } = rotation(["a", "b"]);
  next();
  r.refused();
  assert.equal(next(), "websocket b 275");
});

test("the addresses of servers", () => {
  assert.deepEqual(readServers("wss://h"), ["https://h"]);
  assert.deepEqual(readServers(["ws://h:1/", "HTTPS://h/x/"]), ["http://h:1", "HTTPS://h/x"]);
  const server = "https://h/x";
  assert.equal(endpointOf({ server, transport: "websocket" }), "wss://h/x/connection/websocket");
  assert.equal(endpointOf({ server: "http://h", transport: "websocket" }), "ws://h/connection/websocket");
  assert.equal(endpointOf({ server, transport: "sse" }), "https://h/x/connection/sse");
  assert.equal(endpointOf({ server, transport: "http_stream" }), "https://h/x/connection/http_stream");
  assert.equal(emulationOf({ server, transport: "sse" }), "https://h/x/emulation");
  Object.defineProperty(globalThis, "location", { value: { protocol: "http:", host: "page:8080" }, configurable: true });
  assert.deepEqual([readServers(""), readServers(undefined)], [["http://page:8080"], ["http://page:8080"]]);
  Reflect.deleteProperty(globalThis, "location");
});

test("claims are read from a token, in any script", () => {
  const read = readClaims(token("zoë 張", { name: "Zoë 🎈??>>~", device: "d", exp: 7 }));
  assert.deepEqual(read, { userID: "zoë 張", app: "demo", name: "Zoë 🎈??>>~", device: "d", expires: 7 });
  assert.equal(readClaims(token("ann", { exp: undefined })).expires, Infinity);
  for (const bad of ["", "x", "a.b", "a.!.c", `a.${Buffer.from("7").toString("base64url")}.c`, 7 as never, null as never]) {
    assert.throws(() => readClaims(bad), /^RinglineError: token: /);
  }
});

test("an expired token is replaced, by one call of getToken or by renew", async () => {
  let n = 0;
  const tokens = new Tokens(token("ann"), () => Promise.resolve(token("ann", { n: ++n })), new FakeClock());
  assert.equal(await tokens.current(), token("ann"));
  tokens.expired("another");
  assert.equal(await tokens.current(), token("ann"));
  tokens.expired(token("ann"));
  const [a, b] = await Promise.all([tokens.current(), tokens.current()]);
  assert.deepEqual([a, b, n], [token("ann", { n: 1 }), token("ann", { n: 1 }), 1]);
  tokens.renew(token("ann", { n: 50 }));
  assert.equal(await tokens.newerThan(a), token("ann", { n: 50 }));
  assert.equal(await tokens.newerThan(token("ann", { n: 50 })), token("ann", { n: 2 }));

  const without = new Tokens(token("ann"), undefined, new FakeClock());
  without.expired(token("ann"));
  assert.equal((await rejected(without.current())).code, "permission_denied");
  without.renew(token("ann", { n: 3 }));
  assert.equal(await without.current(), token("ann", { n: 3 }));
});

test("a getToken that does not settle is given up after 15 s and called again; its late token is used", async () => {
  const clock = new FakeClock();
  const requests: ((token: string) => void)[] = [];
  const tokens = new Tokens(undefined, () => new Promise((resolve) => requests.push(resolve)), clock);
  const error = tokens.current().then(String, (e: unknown) => e);
  await clock.pass(14_999);
  const both = tokens.current().then(String, (e: unknown) => e);
  await clock.pass(1);
  for (const e of [await error, await both]) {
    assert.ok(e instanceof Error && !(e instanceof RinglineError));
    assert.match(e.message, /15 s/);
  }
  assert.equal(requests.length, 1);
  const again = tokens.current();
  assert.equal(requests.length, 2);
  requests[0]!(token("ann"));
  assert.equal(await again, token("ann"));
  requests[1]!(token("ann", { n: 2 }));
  await settle();
  assert.equal(await tokens.current(), token("ann"), "a late answer does not replace the token");
  assert.equal(clock.pending, 0);
});

test("renew resolves the promises that wait for getToken at once; a later result of getToken is ignored", async () => {
  const clock = new FakeClock();
  let answer = (_: string): void => {};
  const tokens = new Tokens(token("ann"), () => new Promise((resolve) => (answer = resolve)), clock);
  tokens.expired(token("ann"));
  const waiting = [tokens.current(), tokens.newerThan(token("ann"))];
  const newer = token("ann", { n: 1 });
  tokens.renew(newer);
  assert.deepEqual(await Promise.all(waiting), [newer, newer]);
  assert.equal(clock.pending, 0);
  answer(token("ann", { n: 0 }));
  await settle();
  assert.equal(await tokens.current(), newer);
});
