import { down, receivedExactly, started, up } from "./phone.mjs";

/** A call during which `kill` kills the edge of both phones and makes bob accept. The other edge answers. */
export async function edgeDies(stage, kill) {
  const { cluster } = stage;
  const server = cluster.edges.map((edge) => edge.url);
  const [ann, bob] = await Promise.all(["ann", "bob"].map((name) => stage.phone(name, { server })));
  const { callID } = await ann.call([bob]);
  await ann.receives("onOutgoingCallRinging", callID, bob.id);
  await kill(cluster.edges[0], ann, bob);
  await ann.receives("onOutgoingCallAccepted", callID, bob.id);
  await ann.press("end", callID);
  await receivedExactly(
    [
      ann,
      [
        ["onOutgoingCallRinging", callID, bob.id],
        down,
        up,
        ["onOutgoingCallAccepted", callID, bob.id],
        started(callID, "answered"),
        ["onCallEnded", callID, callID, { reason: "completed", by: ann.by }],
      ],
    ],
    [
      bob,
      [
        ["onIncomingCallReceived", callID, ann.user, 0, [bob.user], ""],
        down,
        up,
        started(callID, "accepted"),
        ["onCallEnded", callID, callID, { reason: "completed", by: ann.byUser }],
      ],
    ],
  );
}
