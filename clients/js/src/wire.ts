/** The messages of a session, as described in docs/reference.md. This is the only file with names in snake_case. */

export interface WireBy {
  kind: "user" | "service" | "timer";
  user_id?: string;
  device_id?: string;
  service?: string;
}

export interface WireCaller {
  user_id: string;
  user_name?: string;
  device_id?: string;
  state: "in" | "left";
  at: string;
}

export type CalleeState =
  | "invited"
  | "ringing"
  | "accepted"
  | "left"
  | "declined"
  | "busy"
  | "canceled"
  | "timed_out";

export interface WireCallee {
  user_id: string;
  user_name?: string;
  attempt: number;
  invited_by: string;
  state: CalleeState;
  reason?: string;
  custom_seq?: number; // the transition whose custom data applies
  device_id?: string;
  ring_deadline?: string;
  at: string;
}

export interface WireCall {
  call_id: string;
  app: string;
  room_id: string;
  call_type: 0 | 1;
  state: "ringing" | "active" | "ended";
  seq: number;
  caller?: WireCaller; // absent in a call whose id was fenced
  callees: WireCallee[];
  custom_data?: string; // that of the invitation
  custom?: Record<string, string>; // custom data of later transitions, by seq
  created_at: string;
  expires_at: string;
  answered_at?: string;
  ended_at?: string;
  end_reason?: string;
  ended_by?: WireBy;
  merged_into?: string;
}

export interface WireNotification {
  event: string;
  id: string;
  call_id: string;
  seq: number;
  user_id?: string;
  reason?: string;
  custom_data?: string;
  by: WireBy;
  call?: WireCall; // in the first notification of a transition, and in call_ended
  server_time: string;
  ring_remaining_ms?: number;
}

export interface WireSnapshot {
  server_time: string;
  user_id: string;
  device_id: string;
  calls: { call: WireCall; ring_remaining_ms?: number }[];
  showing?: string[]; // only in a pushed snapshot
}

export interface WireAnswer {
  command_id?: string;
  ok: boolean;
  error?: { code: string; message: string };
  call?: WireCall;
  calls?: string[]; // in the answer to line
}

/** Reports whether the callee has neither answered nor been given up. */
export function pending(callee: WireCallee): boolean {
  return callee.state === "invited" || callee.state === "ringing";
}

/** The custom data that applies to a callee, as far as this user may see it. */
export function dataOf(call: WireCall, callee: WireCallee): string {
  const seq = callee.custom_seq;
  return (seq === 1 ? call.custom_data : call.custom?.[seq ?? 0]) ?? "";
}

/** Reads a push: a notification, or a snapshot that replaces lost ones. Unknown fields are ignored. */
export function readPush(data: unknown): WireNotification | { snapshot: WireSnapshot } | undefined {
  if (!isObject(data)) return undefined;
  if (isSnapshot(data.snapshot)) return { snapshot: data.snapshot };
  const readable = data.call === undefined ? typeof data.call_id === "string" && typeof data.seq === "number" : isCall(data.call);
  return readable && typeof data.event === "string" ? (data as unknown as WireNotification) : undefined;
}

export function readSnapshot(data: unknown): WireSnapshot | undefined {
  return isSnapshot(data) ? data : undefined;
}

export function readAnswer(data: unknown): WireAnswer | undefined {
  if (!isObject(data) || typeof data.ok !== "boolean") return undefined;
  if (data.call !== undefined && !isCall(data.call)) return undefined;
  return data as unknown as WireAnswer;
}

function isObject(data: unknown): data is Record<string, unknown> {
  return typeof data === "object" && data !== null;
}

function isCall(data: unknown): data is WireCall {
  return isObject(data) && typeof data.call_id === "string" && typeof data.seq === "number" && Array.isArray(data.callees);
}

function isSnapshot(data: unknown): data is WireSnapshot {
  return (
    isObject(data) &&
    typeof data.user_id === "string" &&
    typeof data.device_id === "string" &&
    typeof data.server_time === "string" &&
    Array.isArray(data.calls) &&
    data.calls.every((x) => isObject(x) && isCall(x.call))
  );
}
