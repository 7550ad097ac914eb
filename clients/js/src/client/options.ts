import type { CallType } from "../api/callbacks.js";
import { RinglineError } from "../api/error.js";
import type { KeyValues } from "../session/device.js";
import { transports, type Transport } from "../session/rotation.js";
import type { GetToken } from "../session/tokens.js";

export interface RinglineClientOptions {
  /**
   * The address of Ringline's edge, `https://host[/path]` or `wss://…`, or several. After a lost connection the client
   * tries the next one first. Default: the page's own origin, also for an empty string.
   */
  server?: string | readonly string[];
  /** The user's token, a JWT. One of `token` and `getToken` is needed. */
  token?: string;
  /**
   * Returns a token: the first one if there is no `token`, and a new one each time one has expired. `null`: the user
   * has no token any more.
   */
  getToken?: GetToken;
  /** Called some 30 s before the token expires, so that the app can call `renewToken`. Not needed with `getToken`. */
  onTokenWillExpire?: () => void;
  /**
   * The stable part of the device id, at most 96 bytes. Default: the token's claim `device`, else a random one that is
   * kept in local storage. The client adds a part for the tab.
   */
  device?: string;
  /** The transports to use, in order of preference. Default: `websocket`, `http_stream`, `sse`. */
  transports?: readonly Transport[];
  /** Where to keep the device id instead of localStorage and sessionStorage; `null`: nowhere. */
  storage?: { local?: KeyValues; session?: KeyValues } | null;
  /** A WebSocket constructor, for platforms without a global one. */
  webSocket?: unknown;
  /** Replaces the global fetch for HTTP streaming and SSE. */
  fetch?: typeof globalThis.fetch;
  /** Emits `online` and `offline` instead of `window`, and `hide` and `show` where they mean that the app is suspended. */
  networkEventTarget?: EventTarget;
  /**
   * How long there may be no connection before `error` reports the cause, in milliseconds, 1,000 to 600,000; 0: never.
   * Default: 15,000. It ends nothing: the client keeps trying.
   */
  connectTimeout?: number;
}

export interface CallInvitation {
  /** At least one, and not the caller. */
  callees: readonly { userID: string; userName?: string }[];
  /** 0 voice, 1 video. */
  callType: CallType;
  /** At most 4,096 bytes as JSON. */
  customData?: string;
  /** How long it rings, in seconds, 1 to 600; default: the app's, 60 unless set otherwise. */
  timeout?: number;
  /** The room for the media; default: the call id. */
  roomID?: string;
}

export interface InviteOptions extends CallInvitation {
  /** `[A-Za-z0-9_-]{1,64}`; default: a random one. */
  callID?: string;
  /** The caller's name. The token's claim `name` has priority. */
  userName?: string;
}

export type AddOptions = Pick<InviteOptions, "callees" | "customData" | "timeout">;

export function readTransports(list: readonly Transport[] | undefined): readonly Transport[] {
  const chosen = list ?? transports;
  const unknown = chosen.find((t) => !transports.includes(t));
  if (chosen.length === 0 || unknown !== undefined) {
    throw new RinglineError("invalid_argument", `transports: must be some of ${transports.join(", ")}, got ${String(unknown)}`);
  }
  return chosen;
}

const defaultConnectTimeout = 15_000;

export function readConnectTimeout(ms: number = defaultConnectTimeout): number {
  if (Number.isInteger(ms) && (ms === 0 || (ms >= 1_000 && ms <= 600_000))) return ms;
  throw new RinglineError("invalid_argument", `connectTimeout: must be 0, or 1000 to 600000 milliseconds, got ${String(ms)}`);
}

/**
 * Returns the fields of an invitation. This function and the next check what the server would refuse under another
 * name.
 */
export function invitationOf(options: InviteOptions): object {
  const { callType, roomID, userName } = options;
  if (callType !== 0 && callType !== 1) {
    throw new RinglineError("invalid_argument", `callType: must be 0 (voice) or 1 (video), got ${String(callType)}`);
  }
  return {
    ...calleesOf(options),
    call_type: callType,
    ...(roomID ? { room_id: roomID } : {}),
    ...(userName ? { user_name: userName } : {}),
  };
}

export function calleesOf({ callees, timeout, customData }: AddOptions): object {
  if (!Array.isArray(callees) || callees.length === 0) {
    throw new RinglineError("invalid_argument", "callees: must be an array with at least one callee");
  }
  const list = (callees as InviteOptions["callees"]).map((x, i) => {
    if (typeof x?.userID !== "string" || x.userID === "") {
      throw new RinglineError("invalid_argument", `callees[${i}].userID: must be a non-empty string`);
    }
    return { user_id: x.userID, ...(x.userName ? { user_name: x.userName } : {}) };
  });
  if (timeout !== undefined && !(Number.isInteger(timeout) && timeout >= 1 && timeout <= 600)) {
    throw new RinglineError("invalid_argument", `timeout: must be a whole number of seconds from 1 to 600, got ${timeout}`);
  }
  return { callees: list, ...(timeout === undefined ? {} : { ring_timeout_s: timeout }), ...customDataOf(customData) };
}

/** The maximum size of custom data, in bytes between its quotes in the JSON, and of a whole command. */
const maxCustomData = 4096;
const maxCommand = 60_000;

export function customDataOf(customData: string | undefined): object {
  if (customData !== undefined && typeof customData !== "string") {
    throw new RinglineError("invalid_argument", "customData: must be a string");
  }
  const size = customData ? jsonSize(customData) - 2 : 0;
  if (size > maxCustomData) {
    throw new RinglineError("invalid_argument", `customData: must be at most ${maxCustomData} bytes as JSON, got ${size}`);
  }
  return customData ? { custom_data: customData } : {};
}

/** A larger message would end the whole session. */
export function checkSize(data: object): void {
  const size = jsonSize(data);
  if (size > maxCommand) throw new RinglineError("invalid_argument", `a command must be at most ${maxCommand} bytes, got ${size}`);
}

function jsonSize(value: unknown): number {
  let size = 0;
  for (const c of JSON.stringify(value)) {
    const code = c.codePointAt(0) ?? 0;
    size += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return size;
}
