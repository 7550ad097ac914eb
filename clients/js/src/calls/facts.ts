import type { Callback, CallEndReason } from "../api/callbacks.js";
import type * as wire from "../wire/messages.js";
import { dataOf, pending, wasLost } from "../wire/read.js";
import { started, type Entry } from "./entry.js";
import type { KnownCall, Place } from "./known.js";
import { awaited, invitedAgain, inviterLeft, participants } from "./others.js";
import { actorOf, userOf } from "./shapes.js";

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
  entry: Entry;
}

export interface Advance {
  seen: KnownCall;
  callbacks: Callback[];
  /** The attempt that rings here from now on. */
  ring?: number;
}

/** Computes what a newer version of a call means for this device. */
export function advance(before: KnownCall | undefined, update: CallUpdate): Advance {
  const { place, ...rest } = moved(before, update);
  return { seen: { call: update.call, place, ringEndsAt: update.ringEndsAt }, ...rest };
}

/** Ends a call that the server no longer knows, with the reason that its last state suggests. */
export function endMissing(seen: KnownCall): Advance {
  const over: KnownCall = { ...seen, place: "nowhere" };
  if (seen.place !== "here") return { seen: over, callbacks: [] };
  const reason = seen.call.state === "ringing" ? "timed_out" : "completed";
  return { seen: over, callbacks: [ended(seen.call, reason, undefined)] };
}

/**
 * Ends a call here because this client has another device id from now on, unless the call rings here. Undefined if that
 * changes nothing.
 */
export function endOfOldDevice({ call, place }: KnownCall, userID: string): Callback | undefined {
  const own = call.callees.find((x) => x.user_id === userID);
  return place === "here" && !(own && pending(own)) ? ended(call, "taken_elsewhere", undefined) : undefined;
}

interface Moved {
  place: Place;
  callbacks: Callback[];
  ring?: number;
}

const hidden: Moved = { place: "nowhere", callbacks: [] };

function moved(before: KnownCall | undefined, update: CallUpdate): Moved {
  const { call, userID, deviceID } = update;
  if (neverRang(call)) return hidden;
  const gone = before && endedBetween(before, update);
  if (gone) {
    const { callbacks, ...rest } = moved({ ...before, place: gone.place }, update);
    return { ...rest, callbacks: [...gone.callbacks, ...callbacks] };
  }
  if (call.caller?.user_id === userID) {
    return call.caller.device_id === deviceID ? asCaller(before, update, call.caller) : asCallerElsewhere(before, update, call.caller);
  }
  const own = call.callees.find((x) => x.user_id === userID);
  return own ? asCallee(before, update, own) : hidden;
}

/**
 * The end of a part in the call that started here, if that part is over and the newer version does not show its end: the
 * versions in between were missed. A later attempt follows only after this user was out. In one attempt, a device that is
 * in gets another `changed_seq` only if another one took the call, and this one took it back.
 */
function endedBetween(before: KnownCall, { call, userID, deviceID, entry }: CallUpdate): Moved | undefined {
  const [was, own] = [startedPart(before, userID), partOf(call, userID)];
  if (!was || !own) return undefined;
  if ("attempt" in was && "attempt" in own && was.attempt !== own.attempt) {
    const reason = entry.endOf(call.call_id, was);
    return { place: "nowhere", callbacks: [ended(call, reason, reason === "left" ? { kind: "user", user_id: userID } : undefined)] };
  }
  const isIn = (own.state === "in" || own.state === "accepted") && own.device_id === deviceID;
  if (!isIn || !((own.changed_seq ?? 0) > (was.changed_seq ?? Infinity))) return undefined;
  return { place: "elsewhere", callbacks: [ended(call, "taken_elsewhere", undefined)] };
}

/** This user's part in a call that has started here. */
function startedPart({ call, place }: KnownCall, userID: string): wire.Caller | wire.Callee | undefined {
  const own = partOf(call, userID);
  return place === "here" && call.state === "active" && (own?.state === "in" || own?.state === "accepted") ? own : undefined;
}

function partOf(call: wire.View, userID: string): wire.Caller | wire.Callee | undefined {
  return call.caller?.user_id === userID ? call.caller : call.callees.find((x) => x.user_id === userID);
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
    const known = before?.place === "here" && before.call.state === "active";
    const starts = call.state === "active" && !known ? [started(call, update.entry.ofCaller(before, call))] : [];
    const others = known ? invitedAgain(before.call, call) : [];
    const callbacks = [...others, ...awaited(before?.call, call, all), ...starts, ...participants(before?.call, call, all, caller.at)];
    return { place: "here", callbacks };
  }
  if (before && before.place !== "here") return hidden;
  return { place: "nowhere", callbacks: [...awaited(before?.call, call, all, caller.at), callerOut(update, caller)] };
}

function callerOut({ call, by }: CallUpdate, caller: wire.Caller): Callback {
  const endedIt = call.state === "ended" && caller.at === call.ended_at;
  if (wasLost(caller)) return ended(call, "lost", endedIt ? call.ended_by : by);
  if (endedIt) return ended(call, call.end_reason as CallEndReason, call.ended_by);
  return ended(call, "left", by ?? { kind: "user", user_id: caller.user_id });
}

/** The caller made the call on another device, or has taken it there. */
function asCallerElsewhere(before: KnownCall | undefined, { call }: CallUpdate, caller: wire.Caller): Moved {
  const callbacks = before?.place === "here" ? [ended(call, "taken_elsewhere", byDevice(caller))] : [];
  return { place: caller.state === "in" ? "elsewhere" : "nowhere", callbacks };
}

function asCallee(before: KnownCall | undefined, update: CallUpdate, own: wire.Callee): Moved {
  const { call } = update;
  const shown = before?.place === "here";
  const known = before?.call.callees.find((x) => x.user_id === own.user_id && x.attempt === own.attempt);
  const rang = shown && known && pending(known);
  if (pending(own)) {
    if (!known) return rings(shown, update, own);
    return { place: shown ? "here" : "nowhere", callbacks: rang ? inviterLeft(before.call, call, own) : [] };
  }
  const here = own.device_id === update.deviceID;
  const wasIn = shown && known?.state === "accepted";
  const invited = (x: wire.Callee): boolean => x.invited_by === own.user_id;
  if (own.state === "accepted" && here) {
    const starts = wasIn ? [] : [started(call, update.entry.ofCallee(before, call, own))];
    const others = wasIn ? invitedAgain(before?.call, call) : rang ? inviterLeft(before.call, call, own, own.at) : [];
    const callbacks = [...others, ...awaited(before?.call, call, invited), ...starts, ...participants(before?.call, call, invited, own.at)];
    return { place: "here", callbacks };
  }
  const place = own.state === "accepted" ? "elsewhere" : "nowhere";
  if (!shown) return { place, callbacks: [] };
  if (wasIn && !here) return { place, callbacks: [ended(call, "taken_elsewhere", byDevice(own))] };
  const last = own.state === "left" && here ? awaited(before?.call, call, invited, own.at) : [];
  return { place, callbacks: [...last, ...outcome(update, own, here)] };
}

/** Shows an attempt when it is first seen. An attempt whose ring time has expired is never shown. */
function rings(shown: boolean, { call, expired }: CallUpdate, own: wire.Callee): Moved {
  if (expired) return { place: shown ? "here" : "nowhere", callbacks: [] };
  const received: Callback = {
    name: "onIncomingCallReceived",
    args: [call.call_id, userOf(call.caller), call.call_type, call.callees.map(userOf), dataOf(call, own)],
  };
  return { place: "here", callbacks: [received], ring: own.attempt };
}

/** The callbacks for this user's outcome and the end of a call that was shown. */
function outcome(update: CallUpdate, own: wire.Callee, here: boolean): Callback[] {
  const { call } = update;
  const callID = call.call_id;
  const caller = userOf(call.caller);
  const me = byDevice(own);
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

/** This user, with the device of their entry. */
function byDevice({ user_id, device_id }: wire.Caller | wire.Callee): wire.By {
  return device_id === undefined ? { kind: "user", user_id } : { kind: "user", user_id, device_id };
}

/** A user who left gets `left`, unless leaving ended the call. */
function leftHere({ call, by }: CallUpdate, own: wire.Callee): Callback {
  if (wasLost(own)) return ended(call, "lost", own.at === call.ended_at ? call.ended_by : by);
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
