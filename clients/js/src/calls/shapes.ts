import type { CallActor, CallType, CallUser } from "../api/callbacks.js";
import type * as wire from "../wire/messages.js";
import { dataOf } from "../wire/read.js";

export type CalleeState =
  | "invited"
  | "ringing"
  | "accepted"
  | "left"
  | "declined"
  | "busy"
  | "canceled"
  | "timed_out";

/** An invited user, with the state of the newest attempt to reach them. */
export interface Callee extends CallUser {
  state: CalleeState;
  /** Why the attempt is over, if it is. */
  reason?: string;
  attempt: number;
  /** The user id of the inviter, or `service:` and the service's name. */
  invitedBy: string;
  /** For the caller: that of each callee. For a callee: only their own. */
  customData: string;
}

/** A call as this user may see it. */
export interface Call {
  callID: string;
  /** The room for the media. */
  roomID: string;
  callType: CallType;
  state: "ringing" | "active" | "ended";
  /** The number of transitions of the call. */
  seq: number;
  caller: CallUser & { state: "in" | "left" };
  callees: Callee[];
  /** That of the invitation. */
  customData: string;
  /** RFC 3339, by the server's clock. */
  createdAt: string;
  answeredAt?: string;
  endedAt?: string;
  endReason?: string;
  endedBy?: CallActor;
}

/** A callee whose devices do not ring, and why. */
export interface UserError {
  userID: string;
  /**
   * `line_busy` (in another call) or `timed_out` (the invitation arrived too late). For an add also `already_exists` (in
   * the call already, or ringing) or `invalid_argument` (the caller).
   */
  reason: string;
}

/** The call after an add. */
export interface AddedCall extends Call {
  /** The added callees whose devices do not ring because of it. */
  errorUserList: UserError[];
}

/** A call that this device shows. */
export interface ShownCall extends Call {
  /** `outgoing` if this user made the call, `incoming` if it is a call to this user. */
  direction: "outgoing" | "incoming";
  /**
   * `active` once this device is in the call: for an incoming call once it was accepted here, for an outgoing one once
   * any callee answered. `elsewhere` while this user is in the call on another device: this device can take or leave
   * it. It causes no callbacks here.
   */
  phase: "ringing" | "active" | "elsewhere";
  /**
   * How long it still rings, in milliseconds, by the server's clock: for an incoming call until its own deadline, for
   * an outgoing one until the latest deadline of the pending callees. 0 if nothing rings.
   */
  ringRemaining(): number;
}

export function userOf(party: { user_id: string; user_name?: string } | undefined): CallUser {
  return { userID: party?.user_id ?? "", userName: party?.user_name ?? "" };
}

export function actorOf(by: wire.By): CallActor {
  const actor: CallActor = { kind: by.kind };
  if (by.user_id !== undefined) actor.userID = by.user_id;
  if (by.device_id !== undefined) actor.deviceID = by.device_id;
  if (by.service !== undefined) actor.service = by.service;
  return actor;
}

function calleeOf(call: wire.View, x: wire.Callee): Callee {
  const callee: Callee = {
    ...userOf(x),
    state: x.state,
    attempt: x.attempt,
    invitedBy: x.invited_by,
    customData: dataOf(call, x),
  };
  if (x.reason !== undefined) callee.reason = x.reason;
  return callee;
}

/** Lists those of the invited users whose devices do not ring. The server refused to invite some of them. */
export function errorsOf(invited: readonly { userID: string }[], call: Call, refused: readonly wire.Refused[] = []): UserError[] {
  return invited.flatMap(({ userID }) => {
    const code = refused.find((x) => x.user_id === userID)?.code;
    const reason = code ?? call.callees.find((x) => x.userID === userID)?.reason;
    return code || reason === "line_busy" || reason === "timed_out" ? [{ userID, reason: reason ?? "" }] : [];
  });
}

export function callOf(wire: wire.View): Call {
  const call: Call = {
    callID: wire.call_id,
    roomID: wire.room_id,
    callType: wire.call_type,
    state: wire.state,
    seq: wire.seq,
    caller: { ...userOf(wire.caller), state: wire.caller?.state ?? "left" },
    callees: wire.callees.map((x) => calleeOf(wire, x)),
    customData: wire.custom_data ?? "",
    createdAt: wire.created_at,
  };
  if (wire.answered_at !== undefined) call.answeredAt = wire.answered_at;
  if (wire.ended_at !== undefined) call.endedAt = wire.ended_at;
  if (wire.end_reason !== undefined) call.endReason = wire.end_reason;
  if (wire.ended_by !== undefined) call.endedBy = actorOf(wire.ended_by);
  return call;
}
