import type { CallType } from "../callbacks.js";
import { RinglineError } from "../error.js";
import type { InviteOptions } from "../options.js";

/** The attributes of a call button, each as it is written, or null. */
export interface CallButtonAttributes {
  callees: string | null;
  callType: string | null;
  customData: string | null;
  timeout: string | null;
  roomID: string | null;
}

/** Reads them. What they lack the client names as it names what is wrong with any other invitation. */
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

/** Ids with spaces or commas between them, or JSON: of ids, or of `{userID, userName}` where an id has such a character. */
export function readCallees(text: string): { userID: string; userName?: string }[] {
  if (!/^\s*\[/.test(text)) return text.split(/[\s,，、]+/).filter(Boolean).map((userID) => ({ userID }));
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    throw new RinglineError("invalid_argument", "callees: begins like JSON, and is none");
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
