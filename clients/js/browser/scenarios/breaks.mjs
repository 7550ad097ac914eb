// Failures during a call: of a page, a connection, an edge, a coordinator.
import { equal, ok } from "node:assert/strict";
import { edgeDies } from "../rig/edgedies.mjs";
import { receivedExactly, started } from "../rig/phone.mjs";
import { scenario } from "../rig/stage.mjs";
import { until } from "../rig/until.mjs";

const accepted = (callID, bob) => ["onOutgoingCallAccepted", callID, bob.id];

scenario("reloaded while it rings: it still rings, and is answered", async (stage) => {
  const [ann, bob] = await stage.phonesOf("ann", "bob");
  const { device } = bob;
  const called = performance.now();
  const { callID } = await ann.call([bob], { timeout: 50 });
  const ringing = performance.now();
  const received = ["onIncomingCallReceived", callID, ann.user, 0, [bob.user], ""];
  await ann.receives("onOutgoingCallRinging", callID, bob.id);
  await receivedExactly([bob, [received]]);
  await until("it has rung for a while", () => performance.now() - ringing > 4000);
  await bob.reload();
  await bob.receives(...received);
  equal(bob.device, device);
  for (const phone of [bob, ann]) {
    const asked = performance.now();
    const remaining = await phone.ringRemaining();
    const most = 50_000 - (asked - ringing);
    const least = 50_000 - (performance.now() - called);
    ok(remaining > least - 2000 && remaining < most + 2000, `${phone.id}: ${remaining} ms remain, not ${least} to ${most}`);
  }
  await bob.press("accept", callID);
  await ann.receives(...accepted(callID, bob));
  await ann.press("end", callID);
  await receivedExactly(
    [
      ann,
      [
        ["onOutgoingCallRinging", callID, bob.id],
        accepted(callID, bob),
        started(callID, "answered"),
        ["onCallEnded", callID, callID, { reason: "completed", by: ann.by }],
      ],
    ],
    [bob, [received, started(callID, "accepted"), ["onCallEnded", callID, callID, { reason: "completed", by: ann.byUser }]]],
  );
});

scenario("the edge is killed while it rings: accepted before the phones reach the other edge", async (stage) => {
  await edgeDies(stage, async (edge, ann, bob) => {
    await edge.kill();
    for (const phone of [ann, bob]) await phone.reachesState(3);
    return bob.press("accept");
  });
});

scenario("the edge is killed with an accept that it has not read", async (stage) => {
  await edgeDies(stage, async (edge, ann, bob) => {
    await edge.freeze();
    const sent = bob.sockets[0].waitForEvent("framesent", ({ payload }) => payload.includes('"accept"'));
    const accepted = bob.press("accept");
    await sent;
    await edge.kill();
    await accepted;
  });
});

scenario("the only coordinator is killed between accept and its answer", async (stage) => {
  const { cluster } = stage;
  const [ann, bob] = await stage.phonesOf("ann", "bob");
  const { callID } = await ann.call([bob]);
  await ann.receives("onOutgoingCallRinging", callID, bob.id);
  const before = await cluster.stored("RINGLINE_COMMANDS");
  await cluster.coordinator.freeze(); // so that it receives the command and does nothing with it
  let answered = false;
  const answer = bob.press("accept", callID).then(() => (answered = true));
  await until("the accept is stored", async () => (await cluster.stored("RINGLINE_COMMANDS")) > before);
  equal(answered, false);
  await cluster.coordinator.kill();
  cluster.coordinator = await cluster.worker("coordinator");
  await answer;
  await ann.receives(...accepted(callID, bob));
  await bob.press("leave", callID);
  await receivedExactly(
    [
      ann,
      [
        ["onOutgoingCallRinging", callID, bob.id],
        accepted(callID, bob),
        started(callID, "answered"),
        ["onCallEnded", callID, callID, { reason: "completed", by: bob.by }],
      ],
    ],
    [
      bob,
      [
        ["onIncomingCallReceived", callID, ann.user, 0, [bob.user], ""],
        started(callID, "accepted"),
        ["onCallEnded", callID, callID, { reason: "completed", by: bob.by }],
      ],
    ],
  );
});
