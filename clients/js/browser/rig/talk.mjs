import { receivedExactly, started } from "./phone.mjs";

/** Calls, answers and hangs up, and checks all callbacks of both phones. */
export async function talk(ann, bob) {
  const { callID } = await ann.call([bob]);
  await ann.receives("onOutgoingCallRinging", callID, bob.id);
  await bob.press("accept", callID);
  await ann.receives("onOutgoingCallAccepted", callID, bob.id);
  await ann.press("end", callID);
  await receivedExactly(
    [
      ann,
      [
        ["onOutgoingCallRinging", callID, bob.id],
        ["onOutgoingCallAccepted", callID, bob.id],
        started(callID, "answered"),
        ["onCallEnded", callID, callID, { reason: "completed", by: ann.by }],
      ],
    ],
    [
      bob,
      [
        ["onIncomingCallReceived", callID, ann.user, 0, [bob.user], ""],
        started(callID, "accepted"),
        ["onCallEnded", callID, callID, { reason: "completed", by: ann.byUser }],
      ],
    ],
  );
}
