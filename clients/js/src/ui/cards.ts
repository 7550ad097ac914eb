import type { CallEndReason, CallType, CallUser } from "../api/callbacks.js";
import type { Callee, ShownCall } from "../calls/shapes.js";

/** A callee's progress, as the caller sees it. `calling` until one of the callee's devices reports that it rings. */
export type CalleeProgress = "calling" | "ringing" | "accepted" | "declined" | "busy" | "no_answer" | "canceled" | "left";

export interface CalleeRow {
  userID: string;
  name: string;
  progress: CalleeProgress;
}

/** The outcome of an ended call, shown for some seconds. */
export type Outcome = "missed" | "answered_elsewhere" | "declined_elsewhere" | "lost" | "ended" | "unanswered";

/** A button of a card. */
export type Press = "accept" | "decline" | "cancel" | "take" | "leave";

interface Card {
  callID: string;
  callType: CallType;
  /** Set once it is over. */
  outcome?: Outcome;
}

export interface IncomingCard extends Card {
  caller: { userID: string; name: string };
  /** Who else was called. */
  others: string[];
  /** The call, to compute its remaining ring time. */
  call: ShownCall;
}

export interface OutgoingCard extends Card {
  rows: CalleeRow[];
}

export interface ActiveCard extends Card {
  /** The names of all other parties in the call, and their user ids. */
  names: string[];
  users: string[];
  /** RFC 3339, by the server's clock; "" if unknown. */
  answeredAt: string;
  /** This user is in the call on another device. It may still ring at the callees. */
  isElsewhere: boolean;
}

/** A call that is being made: its invitation has no answer yet, so the server may not know it. */
export interface Dialed {
  callID: string;
  callType: CallType;
  callees: readonly { userID: string; userName?: string }[];
}

export function nameOf(user: { userID: string; userName?: string }): string {
  return user.userName || user.userID;
}

export function incomingCard(call: ShownCall, me: string): IncomingCard | undefined {
  if (call.direction !== "incoming" || call.phase !== "ringing") return undefined;
  const { callID, callType, caller } = call;
  const others = call.callees.filter((x) => x.userID !== me).map(nameOf);
  return { callID, callType, caller: { userID: caller.userID, name: nameOf(caller) }, others, call };
}

/** Shown while any callee is pending. A group call that some callees have answered therefore has two cards. */
export function outgoingCard(call: ShownCall): OutgoingCard | undefined {
  if (call.direction !== "outgoing" || call.phase === "elsewhere" || !call.callees.some(pends)) return undefined;
  return { callID: call.callID, callType: call.callType, rows: rowsOf(call.callees) };
}

export function dialedCard({ callID, callType, callees }: Dialed): OutgoingCard {
  return { callID, callType, rows: callees.map((x) => ({ userID: x.userID, name: nameOf(x), progress: "calling" })) };
}

export function activeCard(call: ShownCall, me: string): ActiveCard | undefined {
  const { callID, callType, caller, answeredAt = "" } = call;
  const isElsewhere = call.phase === "elsewhere";
  if (call.phase !== "active" && !isElsewhere) return undefined;
  const inIt: CallUser[] = call.callees.filter((x) => x.state === "accepted" || (isElsewhere && call.state === "ringing" && pends(x)));
  if (caller.state === "in") inIt.unshift(caller);
  const others = inIt.filter((x) => x.userID !== me);
  if (others.length === 0 && outgoingCard(call)) return undefined; // the outgoing card already shows everything
  return { callID, callType, names: others.map(nameOf), users: others.map((x) => x.userID), answeredAt, isElsewhere };
}

export function rowsOf(callees: readonly Callee[]): CalleeRow[] {
  return callees.map((x) => ({ userID: x.userID, name: nameOf(x), progress: progressOf(x) }));
}

function pends({ state }: Callee): boolean {
  return state === "invited" || state === "ringing";
}

function progressOf({ state }: Callee): CalleeProgress {
  switch (state) {
    case "invited":
      return "calling";
    case "timed_out":
      return "no_answer";
    case "ringing":
    case "accepted":
    case "declined":
    case "busy":
    case "canceled":
    case "left":
      return state;
  }
}

/**
 * The outcome that a callee sees of a call that rang here. There is none for the callee's own action on this device.
 */
export function incomingOutcome(reason: CallEndReason): Outcome | undefined {
  switch (reason) {
    case "canceled":
    case "timed_out":
      return "missed";
    case "answered_elsewhere":
    case "declined_elsewhere":
      return reason;
    case "completed":
    case "expired":
    case "server_ended":
      return "ended";
    case "declined":
    case "busy":
    case "left":
    case "lost":
    case "taken_elsewhere":
      return undefined;
  }
}

/**
 * The outcome that a caller sees of a call that no callee answered. There is none if the caller canceled it, or took it
 * on another device, where it continues.
 */
export function outgoingOutcome(reason: CallEndReason): Outcome | undefined {
  if (reason === "lost") return "lost";
  return reason === "canceled" || reason === "left" || reason === "taken_elsewhere" ? undefined : "unanswered";
}

/** The remaining share of the ring time, from 1 to 0, by the server's clock. */
export function ringLeft(call: Pick<ShownCall, "createdAt">, remainingMs: number, serverNow: number | undefined): number {
  const rungFor = serverNow === undefined ? 0 : Math.max(0, serverNow - Date.parse(call.createdAt));
  const whole = rungFor + remainingMs;
  return whole > 0 ? remainingMs / whole : 0;
}

/** A duration in the format of a call timer: 0:07, 12:30, 1:00:00. */
export function timerText(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number): string => String(n).padStart(2, "0");
  const minutes = Math.floor(s / 60);
  return minutes < 60 ? `${minutes}:${two(s % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(s % 60)}`;
}
