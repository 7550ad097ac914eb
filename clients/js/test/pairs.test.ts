import assert from "node:assert/strict";
import { test } from "node:test";
import { RinglineClient } from "../src/client/client.js";
import { FakeClock, FakeSession, rejected, settle, token } from "./fakes.js";
import { at, call, callee, type TestCallee } from "./world.js";

// A client reports each start and each end of a call once, whatever happens to its session.

async function world() {
  const clock = new FakeClock();
  const sessions: FakeSession[] = [];
  const makeSession = (...args: ConstructorParameters<typeof FakeSession>) => (sessions.push(new FakeSession(...args)), sessions.at(-1)!);
  const client = new RinglineClient({ server: "https://h", token: token("bob"), storage: null }, { clock, makeSession });
  const received: string[] = [];
  client.on("callStarted", (callID, _, { how }) => received.push(`started ${callID} ${how}`));
  client.on("callEnded", (callID, _, { reason }) => received.push(`ended ${callID} ${reason}`));
  const connect = async (...calls: ReturnType<typeof call>[]) => {
    const connected = client.connect();
    await settle();
    sessions.at(-1)!.connect(calls.map((call) => ({ call })), { user_id: "bob" });
    await connected.catch(() => {});
    return sessions.at(-1)!;
  };
  const active = (seq: number, call_id: string, bob: Partial<TestCallee> = {}) =>
    call(seq, { call_id, state: "active", callees: [callee("bob", { state: "accepted", device_id: client.deviceID, at: at(3), changed_seq: 2, ...bob })] });
  return { client, received, connect, active };
}

test("a call that this client takes without knowing it starts as taken, also if its answer is late or lost", async () => {
  const { client, received, connect, active } = await world();
  const session = await connect();
  const taken = client.take("c1");
  assert.deepEqual(session.request1.data, { command_id: session.request1.data.command_id, call_id: "c1" });
  session.push(active(5, "c1", { changed_seq: 4 })); // reports another party, after the take
  assert.deepEqual(received, ["started c1 taken"]);
  session.request1.answer({ ok: true, call: active(5, "c1", { changed_seq: 4 }) });
  await taken;
  const refused = rejected(client.take("c2"));
  session.request1.answer({ ok: false, error: { code: "not_pending", message: "no" } });
  assert.equal((await refused).code, "not_pending");
  session.push(active(5, "c2"));
  assert.deepEqual(received, ["started c1 taken", "started c2 accepted"]);
});

test("left over a connection that broke, then added again: left, although presence watched the device", async () => {
  const { client, received, connect, active } = await world();
  const session = await connect();
  session.push(active(2, "c1", { watched: true }));
  const left = rejected(client.leave("c1"));
  session.break();
  session.connect([{ call: active(5, "c1", { watched: true, attempt: 2, state: "invited", changed_seq: 5 }), ring_remaining_ms: 9_000 }], { user_id: "bob" });
  assert.deepEqual(received, ["started c1 accepted", "ended c1 left"]);
  client.disconnect();
  await left;
});

test("a callback that disconnects: what it left undone follows after the next connect, before the news", async () => {
  const { client, received, connect, active } = await world();
  const session = await connect();
  session.push(active(2, "c1"));
  session.push(active(2, "c2", { state: "invited", device_id: undefined as never }), { ring_remaining_ms: 9_000 });
  for (const r of [...session.requests]) r.answer({ ok: true });
  const stop = client.on("callEnded", () => client.disconnect());
  const left = active(3, "c1", { state: "left", reason: "left", changed_seq: 3 });
  session.break();
  session.connect([{ call: left }, { call: active(3, "c2") }, { call: active(3, "c3", { state: "invited" }), ring_remaining_ms: 9_000 }], { user_id: "bob" });
  assert.deepEqual(received, ["started c1 accepted", "ended c1 left"]);
  stop();
  await client.accept("c3").catch(() => {});
  assert.equal(received.length, 2, "nothing after disconnect");
  const next = await connect(active(4, "c2", { state: "left", reason: "left" }), active(4, "c3", { state: "canceled", reason: "canceled" }));
  assert.deepEqual(received.slice(2), ["started c2 accepted", "ended c2 left", "ended c3 canceled"]);
  assert.deepEqual(next.requests.map((r) => [r.method, r.data.call_id]), [["ring", "c3"]]);
});
