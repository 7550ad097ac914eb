import type { ErrorCode } from "./error.js";

/** The media of a call. Ringline only transports the value. */
export const CallType = { voiceCall: 0, videoCall: 1 } as const;
export type CallType = (typeof CallType)[keyof typeof CallType];

/** A user as a callback names them. `userName` is `""` if none was set. */
export interface CallUser {
  userID: string;
  userName: string;
}

/** Who caused something. Only the caller sees the devices of other users. */
export interface CallActor {
  kind: "user" | "service" | "timer";
  userID?: string;
  deviceID?: string;
  service?: string;
}

/**
 * Why a call is over on this device.
 *
 * - `completed`, `expired` (it reached its maximum duration), `server_ended`: the whole call ended after it was
 *   answered;
 * - `declined`, `busy`, `timed_out`, `canceled`: no callee answered; on a callee's device: the outcome of their own
 *   invitation;
 * - `left`: this user left, and the call continues for the others;
 * - `lost`: this device was gone for too long, so the server took this user out of the call;
 * - `answered_elsewhere`, `declined_elsewhere`: another device of this user has answered or declined;
 * - `taken_elsewhere`: this user continues the call on another device.
 */
export type CallEndReason =
  | "completed"
  | "declined"
  | "busy"
  | "timed_out"
  | "canceled"
  | "expired"
  | "server_ended"
  | "left"
  | "lost"
  | "answered_elsewhere"
  | "declined_elsewhere"
  | "taken_elsewhere";

export interface CallEnd {
  reason: CallEndReason;
  /** Who caused it, if that is known. */
  by?: CallActor;
}

/**
 * How this device came into a call.
 *
 * - `answered`: a callee answered the call that was made here;
 * - `accepted`: this user accepted it here;
 * - `glare`: this user called the caller at the same time, and both calls became this one;
 * - `restored`: this device was in the call before, and the page was reloaded or the app opened again;
 * - `taken`: this user took the call from another device.
 */
export interface CallStart {
  callType: CallType;
  how: "answered" | "accepted" | "glare" | "restored" | "taken";
}

/** Reports an error that rejects no promise. */
export interface CallError {
  code: ErrorCode;
  message: string;
  callID?: string;
}

export type ConnectionState = "connecting" | "connected" | "disconnected";

/**
 * The callbacks of an app. All are optional. Each fact calls back exactly once, however often the connection breaks.
 * `onCallEnded` comes once for each call that this device showed, as its last callback. `customData` is `""` if there
 * is none.
 */
export interface InvitationEvents {
  /** An invitation rings here. `customData` is that of the invitation. */
  onIncomingCallReceived?(
    callID: string,
    caller: CallUser,
    callType: CallType,
    callees: CallUser[],
    customData: string,
  ): void;
  /** The invitation was canceled. `customData` comes from the user or service that canceled it. */
  onIncomingCallCanceled?(callID: string, caller: CallUser, customData: string): void;
  /** The invitation was not answered in time. */
  onIncomingCallTimeout?(callID: string, caller: CallUser): void;
  /** The user pressed Accept in Ringline's own elements. */
  onIncomingCallAcceptButtonPressed?(): void;
  /** The user pressed Decline in Ringline's own elements. */
  onIncomingCallDeclineButtonPressed?(): void;
  /** That callee accepted. */
  onOutgoingCallAccepted?(callID: string, calleeID: string): void;
  /** That callee is busy: they declined as busy, or are in another call. */
  onOutgoingCallRejectedCauseBusy?(callID: string, calleeID: string, customData: string): void;
  /** That callee declined. */
  onOutgoingCallDeclined?(callID: string, calleeID: string): void;
  /** That callee did not answer in time. */
  onOutgoingCallTimeout?(callID: string, calleeID: string, customData: string): void;
  /** The user pressed Cancel in Ringline's own elements. */
  onOutgoingCallCancelButtonPressed?(): void;

  /** A device of that callee rings. */
  onOutgoingCallRinging?(callID: string, calleeID: string): void;
  /** Another device of this user answered. */
  onIncomingCallAnsweredElsewhere?(callID: string, caller: CallUser): void;
  /** Another device of this user declined. */
  onIncomingCallDeclinedElsewhere?(callID: string, caller: CallUser): void;
  /**
   * Another user joined a call that this device is in. The user who invited them gets onOutgoingCallAccepted instead.
   */
  onParticipantJoined?(callID: string, userID: string): void;
  /**
   * Another user left a call that continues. This device is in the call, or it rings here and the user is the caller or invited
   * this user.
   */
  onParticipantLeft?(callID: string, userID: string): void;
  /**
   * This device is in the call now: join the room of the media. Once each time that it comes into a call, however it
   * does, and not again when it reconnects. It follows onOutgoingCallAccepted. onCallEnded comes before the next
   * onCallStarted of this call, but not in a page that is closed, nor after unInit.
   */
  onCallStarted?(callID: string, roomID: string, start: CallStart): void;
  /** The call is over on this device. It is the last callback of a call. */
  onCallEnded?(callID: string, roomID: string, end: CallEnd): void;
  /** An error that rejects no promise, including an exception in a callback. */
  onError?(error: CallError): void;
  onConnectionStateChanged?(state: ConnectionState): void;
}

export type CallbackName = keyof InvitationEvents;
export type CallbackArgs<N extends CallbackName> = Parameters<NonNullable<InvitationEvents[N]>>;

/** A callback as data. */
export type Callback = { [N in CallbackName]: { name: N; args: CallbackArgs<N> } }[CallbackName];
