// More call flows.
import { anyOrder, receivedExactly, started } from "../../rig/phone.mjs";
import { scenario } from "../../rig/stage.mjs";
import { talk } from "../../rig/talk.mjs";

scenario("answered, and ended by the caller", async (stage) => {
  const [ann, bob] = await stage.phonesOf("ann", "bob");
  await talk(ann, bob);
});

scenario("a group: two accept, one leaves, the caller ends it", async (stage) => {
  const [ann, bob, eve] = await stage.phonesOf("ann", "bob", "eve");
  const { callID } = await ann.call([bob, eve]);
  for (const phone of [bob, eve]) await ann.receives("onOutgoingCallRinging", callID, phone.id);
  await bob.press("accept", callID);
  await ann.receives("onOutgoingCallAccepted", callID, bob.id);
  await eve.press("accept", callID);
  await bob.receives("onParticipantJoined", callID, eve.id);
  await bob.press("leave", callID);
  await eve.receives("onParticipantLeft", callID, bob.id);
  await ann.receives("onParticipantLeft", callID, bob.id);
  await ann.press("end", callID);
  const received = ["onIncomingCallReceived", callID, ann.user, 0, [bob.user, eve.user], ""];
  await receivedExactly(
    [
      ann,
      [
        anyOrder(...[bob, eve].map((phone) => ["onOutgoingCallRinging", callID, phone.id])),
        ["onOutgoingCallAccepted", callID, bob.id],
        started(callID, "answered"),
        ["onOutgoingCallAccepted", callID, eve.id],
        ["onParticipantLeft", callID, bob.id],
        ["onCallEnded", callID, callID, { reason: "completed", by: ann.by }],
      ],
    ],
    [
      bob,
      [
        received,
        started(callID, "accepted"),
        ["onParticipantJoined", callID, eve.id],
        ["onCallEnded", callID, callID, { reason: "left", by: bob.by }],
      ],
    ],
    [
      eve,
      [
        received,
        started(callID, "accepted"),
        ["onParticipantLeft", callID, bob.id],
        ["onCallEnded", callID, callID, { reason: "completed", by: ann.byUser }],
      ],
    ],
  );
});
