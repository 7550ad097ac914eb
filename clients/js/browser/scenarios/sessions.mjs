// Opening a session: transports, init and unInit, and an app with a mistake.
import { deepStrictEqual, equal } from "node:assert/strict";
import { receivedExactly } from "../rig/phone.mjs";
import { scenario } from "../rig/stage.mjs";
import { talk } from "../rig/talk.mjs";

scenario("init, unInit and init in one tick, as React's StrictMode does: one session", async (stage) => {
  const [bob, user] = [await stage.phone("bob"), stage.user("ann")];
  const ann = await stage.page(user);
  ann.options = { app: "demo", user, ...stage.options(user) };
  const devices = await ann.inPage(async (options) => {
    const init = (prefix) => Ringline.init(...initArgs({ ...options, prefix }));
    const first = init("first ");
    Ringline.unInit();
    return (await Promise.all([first, init("")])).map((user) => user.deviceID);
  }, ann.options);
  equal(devices[0], devices[1]);
  ann.device = devices[1];
  await talk(ann, bob);
  equal(ann.sockets.length, 1);
});

scenario("a callback that throws is reported by onError, and the next ones are called", async (stage) => {
  const [ann, bob] = await Promise.all([
    stage.phone("ann"),
    stage.phone("bob", { breaks: ["onIncomingCallReceived", "onError"] }),
  ]);
  const { callID } = await ann.call([bob]);
  await ann.receives("onOutgoingCallRinging", callID, bob.id);
  await ann.press("cancel", callID);
  const broken = "an exception in a handler of incomingCallReceived: onIncomingCallReceived is broken";
  await receivedExactly([
    bob,
    [
      ["onIncomingCallReceived", callID, ann.user, 0, [bob.user], ""],
      ["onError", { code: "internal", message: broken }],
      ["onIncomingCallCanceled", callID, ann.user, ""],
      ["onCallEnded", callID, callID, { reason: "canceled", by: ann.byUser }],
    ],
  ]);
  deepStrictEqual(bob.errors.splice(0), ["onIncomingCallReceived is broken", "onError is broken"]);
});
