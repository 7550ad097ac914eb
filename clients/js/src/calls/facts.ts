import type { Callback, CallEndReason } from "../api/callbacks.js";
import type * as wire from "../wire/messages.js";
import { dataOf, pending } from "../wire/read.js";
import { awaited, participants } from "./others.js";
import { actorOf, userOf } from "./shapes.js";

/** The newest known version of a call. */
export interface KnownCall {
  readonly call: wire.View;
  /** Whether this device shows the call: it rings here, was made here, or this user is in it here. */
  readonly shown: boolean;
  /** When it stops ringing for this user, by the clock of `receivedAt`. */
  readonly ringEndsAt: number | undefined;
}

/** A newer version of a call that this device received. */
export interface CallUpdate {
  call: wire.View;
  userID: string;
  deviceID: string;
  ringEndsAt: number | undefined;
  /** The frame says that the ring time has expired. */
  expired: boolean;
  /** Who caused this user's outcome, if the frame carries it. */
  by: wire.By | undefined;
}

export interface Advance {
  seen: KnownCall;
  callbacks: Callback[];
  /** The attempt that rings here from now on. */
  ring?: number;
}

/** Computes what a newer version of a call means for this device. */
export function advance(before: KnownCall | undefined, update: CallUpdate): Advance {
  const { shown, ...rest } = moved(before, update);
  return { seen: { call: update.call, shown, ringEndsAt: update.ringEndsAt }, ...rest };
}

/** Ends a call that the server no longer knows, with the reason that its last state suggests. */
export function endMissing(seen: KnownCall): Advance {
  if (!seen.shown) return { seen, callbacks: [] };
  const reason = seen.call.state === "ringing" ? "timed_out" : "completed";
  return { seen: { ...seen, shown: false }, callbacks: [ended(seen.call, reason, undefined)] };
}

interface Moved {
  shown: boolean;
  callbacks: Callback[];
  ring?: number;
}

const hidden: Moved = { shown: false, callbacks: [] };

function moved(before: KnownCall | undefined, update: CallUpdate): Moved {
  const { call, userID, deviceID } = update;
  if (neverRang(call)) return hidden;
  if (call.caller?.user_id === userID) {
    return call.caller.device_id === deviceID ? asCaller(before, update, call.caller) : hidden;
  }
  const own = call.callees.find((x) => x.user_id === userID);
  return own ? asCallee(before, update, own) : hidden;
}

/** Calls that were born ended. No device shows them. */
function neverRang(call: wire.View): boolean {
  return call.end_reason === "caller_busy" || call.end_reason === "merged" || call.end_reason === "failed";
}

/** The caller waits for all callees. A call that is first seen when it is over is still reported: it was made here. */
function asCaller(before: KnownCall | undefined, update: CallUpdate, caller: wire.Caller): Moved {
  const { call } = update;
  const all = (): boolean => true;
  if (caller.state === "in") {
    const callbacks = [...awaited(before?.call, call, all), ...participants(before?.call, call, all, caller.at)];
    return { shown: true, callbacks };
  }
  if (before && !before.shown) return hidden;
  const end =
    call.state === "ended" && caller.at === call.ended_at
      ? ended(call, call.end_reason as CallEndReason, call.ended_by)
      : ended(call, "left", update.by ?? { kind: "user", user_id: caller.user_id });
  return { shown: false, callbacks: [...awaited(before?.call, call, all, caller.at), end] };
}

function asCallee(before: KnownCall | undefined, update: CallUpdate, own: wire.Callee): Moved {
  const { call } = update;
  const shown = before?.shown ?? false;
  const known = before?.call.callees.find((x) => x.user_id === own.user_id);
  if (pending(own)) return known?.attempt === own.attempt ? { shown, callbacks: [] } : rings(shown, update, own);
  const here = own.device_id === update.deviceID;
  const invited = (x: wire.Callee): boolean => x.invited_by === own.user_id;
  if (own.state === "accepted" && here) {
    const callbacks = [...awaited(before?.call, call, invited), ...participants(before?.call, call, invited, own.at)];
    return { shown: true, callbacks };
  }
  if (!shown) return hidden;
  const last = own.state === "left" && here ? awaited(before?.call, call, invited, own.at) : [];
  return { shown: false, callbacks: [...last, ...outcome(update, own, here)] };
}

/** Shows an attempt when it is first seen. An attempt whose ring time has expired is never shown. */
function rings(shown: boolean, { call, expired }: CallUpdate, own: wire.Callee): Moved {
  if (expired) return { shown, callbacks: [] };
  const received: Callback = {
    name: "onIncomingCallReceived",
    args: [call.call_id, userOf(call.caller), call.call_type, call.callees.map(userOf), dataOf(call, own)],
  };
  return { shown: true, callbacks: [received], ring: own.attempt };
}

/** The callbacks for this user's outcome and the end of a call that was shown. */
function outcome(update: CallUpdate, own: wire.Callee, here: boolean): Callback[] {
  const { call } = update;
  const callID = call.call_id;
  const caller = userOf(call.caller);
  const me: wire.By = { kind: "user", user_id: own.user_id };
  if (own.device_id !== undefined) me.device_id = own.device_id;
  switch (own.state) {
    case "accepted":
    case "left":
      if (here) return [leftHere(update, own)];
      return [{ name: "onIncomingCallAnsweredElsewhere", args: [callID, caller] }, ended(call, "answered_elsewhere", me)];
    case "declined":
    case "busy":
      if (own.reason === "line_busy") return [ended(call, "busy", undefined)];
      if (here) return [ended(call, own.state, me)];
      return [{ name: "onIncomingCallDeclinedElsewhere", args: [callID, caller] }, ended(call, "declined_elsewhere", me)];
    case "canceled":
      return [
        { name: "onIncomingCallCanceled", args: [callID, caller, canceledWith(call, own)] },
        ended(call, "canceled", own.at === call.ended_at ? call.ended_by : update.by),
      ];
    case "timed_out":
      return [{ name: "onIncomingCallTimeout", args: [callID, caller] }, ended(call, "timed_out", { kind: "timer" })];
    case "invited":
    case "ringing":
      return [];
  }
}

/** A user who left gets `left`, unless leaving ended the call. */
function leftHere({ call, by }: CallUpdate, own: wire.Callee): Callback {
  const endedIt = own.at === call.ended_at && (own.reason === "ended" || call.ended_by?.user_id === own.user_id);
  if (endedIt) return ended(call, call.end_reason as CallEndReason, call.ended_by);
  return ended(call, "left", by ?? { kind: "user", user_id: own.user_id });
}

/**
 * The custom data of the command that canceled the invitation. If another party's action ended the call, its custom
 * data was for others, and the entry still has that of the invitation.
 */
function canceledWith(call: wire.View, own: wire.Callee): string {
  const replaced =
    own.reason === "canceled" || call.end_reason === "server_ended" || call.ended_by?.user_id === call.caller?.user_id;
  return replaced ? dataOf(call, own) : "";
}

function ended(call: wire.View, reason: CallEndReason, by: wire.By | undefined): Callback {
  const end = by ? { reason, by: actorOf(by) } : { reason };
  return { name: "onCallEnded", args: [call.call_id, call.room_id, end] };
}
