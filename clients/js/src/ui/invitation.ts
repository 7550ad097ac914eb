import type { CallType } from "../api/callbacks.js";
import { RinglineError } from "../api/error.js";
import type { InviteOptions } from "../client/options.js";

/** The raw attributes of a call button, null if absent. */
export interface CallButtonAttributes {
  callees: string | null;
  callType: string | null;
  customData: string | null;
  timeout: string | null;
  roomID: string | null;
}

/** Reads the attributes. The client reports missing ones, as for any other invitation. */
export function readInvitation(attributes: CallButtonAttributes): InviteOptions {
  const { customData, timeout, roomID } = attributes;
  return {
    callees: readCallees(attributes.callees ?? ""),
    callType: readCallType(attributes.callType ?? ""),
    ...(customData ? { customData } : {}),
    ...(timeout ? { timeout: Number(timeout) } : {}),
    ...(roomID ? { roomID } : {}),
  };
}

/**
 * Ids separated by spaces or commas, or JSON: a list of ids, or of `{userID, userName}` for ids that contain such
 * characters.
 */
export function readCallees(text: string): { userID: string; userName?: string }[] {
  if (!/^\s*\[/.test(text)) return text.split(/[\s,，、]+/).filter(Boolean).map((userID) => ({ userID }));
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    throw new RinglineError("invalid_argument", "callees: starts with [ but is not valid JSON");
  }
  return (list as unknown[]).map((x) => {
    if (typeof x === "string" || typeof x === "number") return { userID: String(x) };
    const { userID, userName } = (x ?? {}) as { userID?: unknown; userName?: unknown };
    return { userID: userID as string, ...(typeof userName === "string" ? { userName } : {}) };
  });
}

function readCallType(text: string): CallType {
  switch (text.trim().toLowerCase()) {
    case "":
    case "0":
    case "voice":
      return 0;
    case "1":
    case "video":
      return 1;
    default:
      throw new RinglineError("invalid_argument", `call-type: must be voice (0) or video (1), got ${text}`);
  }
}
