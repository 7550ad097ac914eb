/**
 * Why something failed. The first twelve come from the server, with its meaning:
 *
 * - `invalid_argument`: an argument breaks a rule; a retry fails too;
 * - `not_found`: no call has this id, or there is none here;
 * - `already_exists`: the call id of an invitation is in use, or no callee of an add can be invited;
 * - `permission_denied`: this user may not do this, or the token or the device was refused;
 * - `caller_busy`: the user's own line is full;
 * - `call_ended`: the call is over;
 * - `answered_elsewhere`: another device of this user has answered;
 * - `not_pending`: the callee is no longer pending;
 * - `rate_limited`: too many commands, or too many sessions of this user;
 * - `exhausted`: the server's call storage is nearly full; the command was not carried out, try again later;
 * - `unavailable`: the server got no answer in time; the command may still be carried out. For a connection: no server
 *   can be reached, or getToken fails, and the client keeps trying;
 * - `internal`: a bug in the server or in this client, or an exception in a callback of the app.
 *
 * Two are the client's own:
 *
 * - `disconnected`: there is no connection, and the command was never sent or its result is unknown;
 * - `timeout`: no answer before the command's deadline; it may still be carried out, unless the message says that it
 *   was not sent.
 */
export type ErrorCode =
  | "invalid_argument"
  | "not_found"
  | "already_exists"
  | "permission_denied"
  | "caller_busy"
  | "call_ended"
  | "answered_elsewhere"
  | "not_pending"
  | "rate_limited"
  | "exhausted"
  | "unavailable"
  | "internal"
  | "disconnected"
  | "timeout";

const codes: readonly string[] = [
  "invalid_argument",
  "not_found",
  "already_exists",
  "permission_denied",
  "caller_busy",
  "call_ended",
  "answered_elsewhere",
  "not_pending",
  "rate_limited",
  "exhausted",
  "unavailable",
  "internal",
  "disconnected",
  "timeout",
] satisfies ErrorCode[];

/** The only error that Ringline's promises reject with. `message` names the argument and the limit. */
export class RinglineError extends Error {
  readonly code: ErrorCode;
  /** The call that the error is about, if any. */
  readonly callID: string | undefined;

  constructor(code: ErrorCode, message: string, callID?: string) {
    super(message);
    this.name = "RinglineError";
    this.code = code;
    this.callID = callID;
  }
}

/** Maps an unknown code, which comes from a newer server, into the closed set. */
export function errorCode(code: string): ErrorCode {
  return codes.includes(code) ? (code as ErrorCode) : "internal";
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
