import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import WebSocket from "ws";
import { Ringline } from "../src/kit/kit.js";
import { FakeEdge } from "./fakeedge.js";
import { rejected, token } from "./fakes.js";
import { at, call, callee, push, type TestCallee } from "./world.js";

// Another init in the same page, after the server has ended the session.

let edge: FakeEdge;
let received: string[];
const pause = (ms = 100) => new Promise((resolve) => setTimeout(resolve, ms));

beforeEach(async () => {
  edge = await new FakeEdge().start();
  edge.onRPC = async () => ({ ok: true });
  received = [];
});

afterEach(async () => {
  Ringline.unInit();
  await pause(1);
  await edge.kill();
});

function init(more: { user?: string; device?: string; server?: string } = {}) {
  const { user = "bob", server = edge.url, device } = more;
  edge.snapshot = { ...edge.snapshot, user_id: user };
  return Ringline.init("demo", server, user, "", token(user), { webSocket: WebSocket, storage: null, ...(device ? { device } : {}) }, {
    onIncomingCallReceived: (callID) => received.push(`rings ${callID}`),
    onCallStarted: (callID, _, { how }) => received.push(`started ${callID} ${how}`),
    onCallEnded: (callID, _, { reason }) => received.push(`ended ${callID} ${reason}`),
    onConnectionStateChanged: (state) => state === "disconnected" && received.push(state),
  });
}

/** A call that bob is in with this device. */
const active = (seq: number, bob: Partial<TestCallee> = {}) =>
  call(seq, { state: "active", callees: [callee("bob", { state: "accepted", device_id: Ringline.getLocalUser()?.deviceID ?? "", at: at(3), ...bob })] });

/** Bob is in a call, and the server ends the session for good. */
async function refused(): Promise<void> {
  await init();
  edge.connected[0]!.push(push(active(2)));
  await pause();
  edge.connected[0]!.end(3500, "token revoked");
  await pause();
  assert.deepEqual(received, ["started c1 accepted", "disconnected"]);
  received = [];
}

test("a call that continues does not start again, and its end is reported", async () => {
  await refused();
  const { deviceID } = Ringline.getLocalUser()!;
  assert.equal((await rejected(Ringline.leave())).code, "disconnected");
  edge.snapshot = { calls: [{ call: active(3) }] };
  const again = init();
  assert.deepEqual(Ringline.getCalls().map((c) => [c.callID, c.phase]), [["c1", "active"]], "the call is shown all the time");
  assert.equal((await again).deviceID, deviceID);
  assert.deepEqual(edge.connected[1]!.data, { device: deviceID, showing: ["c1"] });
  await pause();
  assert.deepEqual(received, []);
  edge.connected[1]!.push(push(active(4, { state: "left", reason: "left" })));
  await pause();
  assert.deepEqual(received, ["ended c1 left"]);
});

test("a call that is over ends after init, also if no snapshot has it, over another server, or as another device", async () => {
  const left = { state: "left", reason: "left" } as const;
  for (const [calls, more, reason] of [
    [[{ call: () => active(3, left) }], {}, "left"],
    [[], {}, "completed"],
    [[], { server: edge.url.replace("127.0.0.1", "localhost") }, "completed"],
    [[{ call: () => active(3) }], { device: "other" }, "taken_elsewhere"],
  ] as const) {
    edge.connected.length = 0;
    edge.snapshot = {};
    await refused();
    edge.snapshot = { calls: calls.map(({ call }) => ({ call: call() })) };
    await init(more);
    await pause();
    assert.deepEqual(received, [`ended c1 ${reason}`]);
    Ringline.unInit();
    await pause(1);
    received = [];
  }
});

test("refused again, and a mistake in the arguments: the call still continues after that", async () => {
  await refused();
  edge.refuse = () => ({ code: 3500, reason: "token revoked" });
  assert.equal((await rejected(init())).code, "permission_denied");
  assert.equal((await rejected(init({ server: "nowhere" }))).code, "invalid_argument");
  edge.refuse = () => undefined;
  await init();
  await pause();
  assert.deepEqual(received, ["disconnected", "ended c1 completed"]);
});

test("two pages that take each other's device id: the call of the page whose session ended continues after init", async () => {
  await init();
  edge.connected[0]!.end(4501, "replaced");
  const second = await edge.next(2);
  await pause();
  second.push(push(active(2)));
  await pause();
  second.end(4501, "replaced");
  await pause();
  assert.deepEqual(received, ["started c1 accepted", "disconnected"]);
  edge.snapshot = { calls: [{ call: active(3) }] };
  await init();
  await pause();
  assert.deepEqual(received, ["started c1 accepted", "disconnected"]);
  assert.deepEqual(Ringline.getCalls().map((c) => c.phase), ["active"], "as the same device");
});

test("after unInit, and for another user, nothing continues: the calls are restored", async () => {
  await refused();
  await init({ user: "zoe" });
  await pause();
  assert.deepEqual(received, []);
  Ringline.unInit();
  await pause(1);
  await init();
  edge.connected[2]!.push(push(active(2)));
  await pause();
  Ringline.unInit();
  await pause(1);
  edge.snapshot = { calls: [{ call: active(3, { device_id: "stable.tab" }) }], device_id: "stable.tab" };
  await init();
  await pause();
  assert.deepEqual(received, ["started c1 accepted", "started c1 restored"]);
});
