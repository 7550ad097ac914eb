// Two phones, and each way in which a call between them can end.
import { deepStrictEqual, equal } from "node:assert/strict";
import { receivedExactly, started } from "../rig/phone.mjs";
import { scenario } from "../rig/stage.mjs";

scenario("answered, and hung up by the callee", async (stage) => {
  const [ann, bob] = await stage.phonesOf("ann", "bob");
  const invitation = { callType: 1, customData: "hello \u{1F44B}", timeout: 30, roomID: "room 1" };
  const { callID, ...result } = await ann.call([bob], invitation);
  deepStrictEqual(result, { code: 0, roomID: "room 1", state: "ringing", timeout: 30, errorUserList: [], customData: invitation.customData });
  await bob.receives("onIncomingCallReceived", callID, ann.user, 1, [bob.user], invitation.customData);
  await ann.receives("onOutgoingCallRinging", callID, bob.id);
  await bob.press("accept");
  await ann.receives("onOutgoingCallAccepted", callID, bob.id);
  const room = { roomID: "room 1", callType: 1 };
  await bob.press("leave");
  await receivedExactly(
    [
      ann,
      [
        ["onOutgoingCallRinging", callID, bob.id],
        ["onOutgoingCallAccepted", callID, bob.id],
        started(callID, "answered", room),
        ["onCallEnded", callID, "room 1", { reason: "completed", by: bob.by }],
      ],
    ],
    [
      bob,
      [
        ["onIncomingCallReceived", callID, ann.user, 1, [bob.user], invitation.customData],
        started(callID, "accepted", room),
        ["onCallEnded", callID, "room 1", { reason: "completed", by: bob.by }],
      ],
    ],
  );
});

scenario("declined", async (stage) => {
  const [ann, bob] = await stage.phonesOf("ann", "bob");
  const { callID } = await ann.call([bob], { customData: "now?" });
  await ann.receives("onOutgoingCallRinging", callID, bob.id);
  await bob.press("decline", callID, { customData: "later" });
  await receivedExactly(
    [
      ann,
      [
        ["onOutgoingCallRinging", callID, bob.id],
        ["onOutgoingCallDeclined", callID, bob.id],
        ["onCallEnded", callID, callID, { reason: "declined", by: bob.by }],
      ],
    ],
    [
      bob,
      [
        ["onIncomingCallReceived", callID, ann.user, 0, [bob.user], "now?"],
        ["onCallEnded", callID, callID, { reason: "declined", by: bob.by }],
      ],
    ],
  );
});

scenario("busy, set by the callee", async (stage) => {
  const [ann, bob] = await stage.phonesOf("ann", "bob");
  const { callID } = await ann.call([bob]);
  await ann.receives("onOutgoingCallRinging", callID, bob.id);
  await bob.press("decline", callID, { reason: "busy", customData: "in a meeting" });
  await receivedExactly(
    [
      ann,
      [
        ["onOutgoingCallRinging", callID, bob.id],
        ["onOutgoingCallRejectedCauseBusy", callID, bob.id, "in a meeting"],
        ["onCallEnded", callID, callID, { reason: "busy", by: bob.by }],
      ],
    ],
    [
      bob,
      [
        ["onIncomingCallReceived", callID, ann.user, 0, [bob.user], ""],
        ["onCallEnded", callID, callID, { reason: "busy", by: bob.by }],
      ],
    ],
  );
});

scenario("busy, because the callee is in another call", async (stage) => {
  const [ann, bob, eve] = await stage.phonesOf("ann", "bob", "eve");
  const first = await eve.call([bob]);
  await bob.receives("onIncomingCallReceived", first.callID, eve.user, 0, [bob.user], "");
  const second = await ann.call([bob], { customData: "me too" });
  deepStrictEqual(second.errorUserList, [{ userID: bob.id, reason: "line_busy" }]);
  await receivedExactly(
    [
      ann,
      [
        ["onOutgoingCallRejectedCauseBusy", second.callID, bob.id, "me too"],
        ["onCallEnded", second.callID, second.callID, { reason: "busy", by: ann.by }],
      ],
    ],
    [bob, [["onIncomingCallReceived", first.callID, eve.user, 0, [bob.user], ""]]],
    [eve, [["onOutgoingCallRinging", first.callID, bob.id]]],
  );
});

scenario("canceled by the caller", async (stage) => {
  const [ann, bob] = await stage.phonesOf("ann", "bob");
  const { callID } = await ann.call([bob], { customData: "hi" });
  await ann.receives("onOutgoingCallRinging", callID, bob.id);
  await ann.press("cancel", callID, { customData: "never mind" });
  await receivedExactly(
    [
      ann,
      [
        ["onOutgoingCallRinging", callID, bob.id],
        ["onCallEnded", callID, callID, { reason: "canceled", by: ann.by }],
      ],
    ],
    [
      bob,
      [
        ["onIncomingCallReceived", callID, ann.user, 0, [bob.user], "hi"],
        ["onIncomingCallCanceled", callID, ann.user, "never mind"],
        ["onCallEnded", callID, callID, { reason: "canceled", by: ann.byUser }],
      ],
    ],
  );
});

scenario("not answered in time", async (stage) => {
  const [ann, bob] = await stage.phonesOf("ann", "bob");
  await stage.cluster.timeouts.freeze(); // so that it has rung before the timeout even on a busy machine
  const { callID, timeout } = await ann.call([bob], { timeout: 3, customData: "hurry" });
  equal(timeout, 3);
  await ann.receives("onOutgoingCallRinging", callID, bob.id);
  stage.cluster.timeouts.thaw();
  await receivedExactly(
    [
      ann,
      [
        ["onOutgoingCallRinging", callID, bob.id],
        ["onOutgoingCallTimeout", callID, bob.id, "hurry"],
        ["onCallEnded", callID, callID, { reason: "timed_out", by: { kind: "timer" } }],
      ],
    ],
    [
      bob,
      [
        ["onIncomingCallReceived", callID, ann.user, 0, [bob.user], "hurry"],
        ["onIncomingCallTimeout", callID, ann.user],
        ["onCallEnded", callID, callID, { reason: "timed_out", by: { kind: "timer" } }],
      ],
    ],
  );
});
