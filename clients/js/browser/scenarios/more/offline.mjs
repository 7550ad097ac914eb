// A browser without a network.
import { equal } from "node:assert/strict";
import { down, receivedExactly, up } from "../../rig/phone.mjs";
import { scenario } from "../../rig/stage.mjs";
import { pause } from "../../rig/until.mjs";

scenario("offline for 10 s while the caller cancels", async (stage) => {
  const link = await stage.link();
  const [ann, bob] = await Promise.all([stage.phone("ann"), stage.phone("bob", { server: link.url })]);
  const { callID } = await ann.call([bob]);
  await ann.receives("onOutgoingCallRinging", callID, bob.id);
  await bob.context.setOffline(true);
  link.cut(); // that closed the WebSocket of the page, and maybe not the TCP connection under it
  await bob.reachesState(3);
  const over = pause(10_000);
  await ann.press("cancel", callID, { customData: "too late" });
  await ann.receives("onCallEnded", callID, callID, { reason: "canceled", by: ann.by });
  await over;
  equal(link.connections, 0);
  const received = ["onIncomingCallReceived", callID, ann.user, 0, [bob.user], ""];
  await receivedExactly([bob, [received, down]]);
  link.restore();
  await bob.context.setOffline(false);
  await receivedExactly(
    [
      bob,
      [
        received,
        down,
        up,
        ["onIncomingCallCanceled", callID, ann.user, "too late"],
        ["onCallEnded", callID, callID, { reason: "canceled", by: ann.byUser }],
      ],
    ],
    [
      ann,
      [
        ["onOutgoingCallRinging", callID, bob.id],
        ["onCallEnded", callID, callID, { reason: "canceled", by: ann.by }],
      ],
    ],
  );
});
