import type * as wire from "./messages.js";

/** A notification of any kind. Only some kinds have these two fields. */
export type Notification = wire.Notification &
  Partial<Pick<wire.NotificationOutgoingCallAccepted, "custom_data" | "ring_remaining_ms">>;

/** The reply to a command or a read. Only the reply to `line` has `calls`. */
export type Reply = wire.Answer & Pick<wire.ReplyLine, "calls">;

/** A snapshot that replaces lost notifications lists the calls that it is about. That of a connect reply does not. */
export type Snapshot = wire.Snapshot & Partial<Pick<wire.SnapshotPush["snapshot"], "showing">>;

/** Reports whether the callee has neither answered nor been given up. */
export function pending(callee: wire.Callee): boolean {
  return callee.state === "invited" || callee.state === "ringing";
}

/** Reports whether this party is out because their device was gone for too long. */
export function wasLost(party: wire.Caller | wire.Callee): boolean {
  return party.reason === "lost";
}

/** The custom data that applies to a callee, as far as this user may see it. */
export function dataOf(call: wire.View, callee: wire.Callee): string {
  const seq = callee.custom_seq;
  return (seq === 1 ? call.custom_data : call.custom?.[seq ?? 0]) ?? "";
}

/** Reads a push: a notification, or a snapshot that replaces lost ones. Unknown fields are ignored. */
export function readPush(data: unknown): Notification | { snapshot: Snapshot } | undefined {
  if (!isObject(data)) return undefined;
  if (isSnapshot(data.snapshot)) return { snapshot: data.snapshot };
  const readable = data.call === undefined ? typeof data.call_id === "string" && typeof data.seq === "number" : isCall(data.call);
  return readable && typeof data.event === "string" ? (data as unknown as Notification) : undefined;
}

export function readSnapshot(data: unknown): Snapshot | undefined {
  return isSnapshot(data) ? data : undefined;
}

export function readAnswer(data: unknown): Reply | undefined {
  if (!isObject(data) || typeof data.ok !== "boolean") return undefined;
  if (data.call !== undefined && !isCall(data.call)) return undefined;
  return data as unknown as Reply;
}

function isObject(data: unknown): data is Record<string, unknown> {
  return typeof data === "object" && data !== null;
}

function isCall(data: unknown): data is wire.View {
  return isObject(data) && typeof data.call_id === "string" && typeof data.seq === "number" && Array.isArray(data.callees);
}

function isSnapshot(data: unknown): data is Snapshot {
  return (
    isObject(data) &&
    typeof data.user_id === "string" &&
    typeof data.device_id === "string" &&
    typeof data.server_time === "string" &&
    Array.isArray(data.calls) &&
    data.calls.every((x) => isObject(x) && isCall(x.call))
  );
}
