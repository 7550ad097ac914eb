// Calls with more than two parties, and two calls at the same time.
import { deepStrictEqual, equal } from "node:assert/strict";
import { anyOrder, receivedExactly, started } from "../rig/phone.mjs";
import { scenario } from "../rig/stage.mjs";
import { until } from "../rig/until.mjs";

scenario("a group: one accepts, one declines, one does not answer", async (stage) => {
  const [ann, bob, eve, joe] = await stage.phonesOf("ann", "bob", "eve", "joe");
  const callees = [bob.user, eve.user, joe.user];
  await stage.cluster.timeouts.freeze(); // so that no invitation times out on a busy machine before it is answered
  const { callID, errorUserList } = await ann.call([bob, eve, joe], { timeout: 5, customData: "lunch?" });
  deepStrictEqual(errorUserList, []);
  for (const phone of [bob, eve, joe]) await ann.receives("onOutgoingCallRinging", callID, phone.id);
  await bob.press("accept", callID);
  await ann.receives("onOutgoingCallAccepted", callID, bob.id);
  await eve.press("decline", callID);
  await ann.receives("onOutgoingCallDeclined", callID, eve.id);
  stage.cluster.timeouts.thaw();
  await ann.receives("onOutgoingCallTimeout", callID, joe.id, "lunch?");
  await ann.press("leave", callID);
  const received = ["onIncomingCallReceived", callID, ann.user, 0, callees, "lunch?"];
  await receivedExactly(
    [
      ann,
      [
        anyOrder(...[bob, eve, joe].map((phone) => ["onOutgoingCallRinging", callID, phone.id])),
        ["onOutgoingCallAccepted", callID, bob.id],
        started(callID, "answered"),
        ["onOutgoingCallDeclined", callID, eve.id],
        ["onOutgoingCallTimeout", callID, joe.id, "lunch?"],
        ["onCallEnded", callID, callID, { reason: "completed", by: ann.by }],
      ],
    ],
    [bob, [received, started(callID, "accepted"), ["onCallEnded", callID, callID, { reason: "completed", by: ann.byUser }]]],
    [eve, [received, ["onCallEnded", callID, callID, { reason: "declined", by: eve.by }]]],
    [
      joe,
      [
        received,
        ["onIncomingCallTimeout", callID, ann.user],
        ["onCallEnded", callID, callID, { reason: "timed_out", by: { kind: "timer" } }],
      ],
    ],
  );
});

scenario("glare: two users call each other at the same moment and get one call", async (stage) => {
  const phones = await stage.phonesOf("ann", "bob");
  const [a, b] = await Promise.all([phones[0].call([phones[1]]), phones[1].call([phones[0]])]);
  equal(a.callID, b.callID);
  const { callID } = a;
  // The user whose invitation came first is the caller. The ringing notification may or may not arrive before the
  // other's invitation answers it.
  const callers = await until("both show the call as answered", () => callersOf(phones));
  const [caller, callee] = callers[0] === "outgoing" ? phones : phones.toReversed();
  deepStrictEqual(callers.toSorted(), ["incoming", "outgoing"]);
  await caller.receives("onOutgoingCallAccepted", callID, callee.id);
  await caller.press("end", callID);
  const ifReceived = async (phone, callback) => ((await phone.received()).some(([name]) => name === callback[0]) ? [callback] : []);
  await callee.receives("onCallEnded", callID, callID, { reason: "completed", by: caller.byUser });
  await receivedExactly(
    [
      caller,
      [
        ...(await ifReceived(caller, ["onOutgoingCallRinging", callID, callee.id])),
        ["onOutgoingCallAccepted", callID, callee.id],
        started(callID, "answered"),
        ["onCallEnded", callID, callID, { reason: "completed", by: caller.by }],
      ],
    ],
    [
      callee,
      [
        ...(await ifReceived(callee, ["onIncomingCallReceived", callID, caller.user, 0, [callee.user], ""])),
        started(callID, "glare"),
        ["onCallEnded", callID, callID, { reason: "completed", by: caller.byUser }],
      ],
    ],
  );
});

/** The role of each phone in its only call, once both show it as answered. */
async function callersOf(phones) {
  const calls = await Promise.all(phones.map((phone) => phone.press("getCalls")));
  for (const list of calls) equal(list.length, 1);
  return calls.every(([call]) => call.phase === "active") && calls.map(([call]) => call.direction);
}
