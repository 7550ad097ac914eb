import type { Callback } from "../api/callbacks.js";
import type * as wire from "../wire/messages.js";
import { dataOf, pending } from "../wire/read.js";

/**
 * Reports the outcomes of the callees that this user waits for, from one version of a call to a newer one. It makes at
 * most one callback per callee, from the state of their newest attempt. Facts in the older version are known. Without
 * an older version all are new. It reports nothing after `until`, when this user left. Times on the wire compare as
 * strings.
 */
export function awaited(
  before: wire.View | undefined,
  call: wire.View,
  waitsFor: (callee: wire.Callee) => boolean,
  until?: string,
): Callback[] {
  return call.callees.flatMap((x) => {
    if (!waitsFor(x) || (until !== undefined && x.at > until)) return [];
    const known = sameAttempt(before, x);
    return known && (known.state === x.state || !pending(known)) ? [] : outcomeOf(call, x);
  });
}

/**
 * Reports who else joined and left after this user joined, at `since`. Callees that this user waits for have other
 * callbacks when they join.
 */
export function participants(
  before: wire.View | undefined,
  call: wire.View,
  waitsFor: (callee: wire.Callee) => boolean,
  since: string,
): Callback[] {
  if (!before) return [];
  const { caller } = call;
  const callerLeft = caller?.state === "left" && before.caller?.state === "in" && caller.at > since ? [caller] : [];
  const joined = call.callees.filter(
    (x) => !waitsFor(x) && x.state === "accepted" && x.at > since && sameAttempt(before, x)?.state !== "accepted",
  );
  const left = call.callees.filter((x) => x.state === "left" && x.at > since && sameAttempt(before, x)?.state !== "left");
  return [
    ...joined.map((x): Callback => ({ name: "onParticipantJoined", args: [call.call_id, x.user_id] })),
    ...[...callerLeft, ...left].map((x): Callback => ({ name: "onParticipantLeft", args: [call.call_id, x.user_id] })),
  ];
}

/**
 * Reports who was in the call with this device and has a later attempt now: they left, although no version that was seen
 * shows it.
 */
export function invitedAgain(before: wire.View | undefined, call: wire.View): Callback[] {
  const wereIn = before?.callees.filter((x) => x.state === "accepted") ?? [];
  return wereIn
    .filter((x) => call.callees.some((y) => y.user_id === x.user_id && y.attempt !== x.attempt))
    .map((x) => ({ name: "onParticipantLeft", args: [call.call_id, x.user_id] }));
}

/**
 * Reports to a callee who rings, or rang until they answered at `until`, that the caller or the participant who invited them
 * left, while the call continues.
 */
export function inviterLeft(before: wire.View, call: wire.View, own: wire.Callee, until?: string): Callback[] {
  const left: string[] = [];
  const soon = (at: string): boolean => until === undefined || at <= until;
  if (before.caller?.state === "in" && call.caller?.state === "left" && soon(call.caller.at)) left.push(call.caller.user_id);
  const inviter = before.callees.find((x) => x.user_id === own.invited_by && x.state === "accepted");
  const now = inviter && call.callees.find((x) => x.user_id === inviter.user_id);
  if (inviter && now && (now.attempt !== inviter.attempt || (now.state === "left" && soon(now.at)))) left.push(inviter.user_id);
  return left.map((user) => ({ name: "onParticipantLeft", args: [call.call_id, user] }));
}

/** The earlier version of the same attempt. */
function sameAttempt(before: wire.View | undefined, x: wire.Callee): wire.Callee | undefined {
  return before?.callees.find((y) => y.user_id === x.user_id && y.attempt === x.attempt);
}

/** A callee who left has accepted before, even if that version was not seen. */
function outcomeOf(call: wire.View, x: wire.Callee): Callback[] {
  const callID = call.call_id;
  switch (x.state) {
    case "ringing":
      return [{ name: "onOutgoingCallRinging", args: [callID, x.user_id] }];
    case "accepted":
    case "left":
      return [{ name: "onOutgoingCallAccepted", args: [callID, x.user_id] }];
    case "declined":
      return [{ name: "onOutgoingCallDeclined", args: [callID, x.user_id] }];
    case "busy":
      return [{ name: "onOutgoingCallRejectedCauseBusy", args: [callID, x.user_id, dataOf(call, x)] }];
    case "timed_out":
      return [{ name: "onOutgoingCallTimeout", args: [callID, x.user_id, dataOf(call, x)] }];
    case "invited":
    case "canceled":
      return [];
  }
}
