import type { ErrorCode } from "./error.js";

/** What a call is for. Ringline only carries it. */
export const CallType = { voiceCall: 0, videoCall: 1 } as const;
export type CallType = (typeof CallType)[keyof typeof CallType];

/** A user as a callback names him; `userName` is `""` where nobody gave one. */
export interface CallUser {
  userID: string;
  userName: string;
}

/** Who caused something. Of other people's devices only the caller is told. */
export interface CallActor {
  kind: "user" | "service" | "timer";
  userID?: string;
  deviceID?: string;
  service?: string;
}

/**
 * Why a call is over on this device.
 *
 * - `completed`, `expired` (it reached its maximum duration), `server_ended`: the whole call ended after it was answered;
 * - `declined`, `busy`, `timed_out`, `canceled`: nobody answered it, or for a callee: that became of his own invitation;
 * - `left`: this user left, and the call goes on without him;
 * - `answered_elsewhere`, `declined_elsewhere`: another device of this user has answered or declined.
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
  | "answered_elsewhere"
  | "declined_elsewhere";

export interface CallEnd {
  reason: CallEndReason;
  /** Who caused it, where that is known. */
  by?: CallActor;
}

/** Says what went wrong where no promise could be rejected. */
export interface CallError {
  code: ErrorCode;
  message: string;
  callID?: string;
}

export type ConnectionState = "connecting" | "connected" | "disconnected";

/**
 * The callbacks of an app. All are optional. Each fact calls back exactly once, however often the connection breaks;
 * `onCallEnded` comes once for each call that was shown on this device, and last. `customData` is `""` where there is none.
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
  /** It was withdrawn. `customData` is that of who withdrew it. */
  onIncomingCallCanceled?(callID: string, caller: CallUser, customData: string): void;
  /** It was not answered in time. */
  onIncomingCallTimeout?(callID: string, caller: CallUser): void;
  /** The user pressed Accept in Ringline's own elements. */
  onIncomingCallAcceptButtonPressed?(): void;
  /** The user pressed Decline in Ringline's own elements. */
  onIncomingCallDeclineButtonPressed?(): void;
  /** That callee accepted. */
  onOutgoingCallAccepted?(callID: string, calleeID: string): void;
  /** That callee is busy: he said so, or is in another call. */
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
  /** Somebody else joined a call that this device is in. Who invited him hears onOutgoingCallAccepted instead. */
  onParticipantJoined?(callID: string, userID: string): void;
  /** Somebody else left a call that goes on. */
  onParticipantLeft?(callID: string, userID: string): void;
  /** The call is over on this device. The last callback of a call. */
  onCallEnded?(callID: string, roomID: string, end: CallEnd): void;
  /** Something failed that no promise stands for, an exception in a callback too. */
  onError?(error: CallError): void;
  onConnectionStateChanged?(state: ConnectionState): void;
}

export type CallbackName = keyof InvitationEvents;
export type CallbackArgs<N extends CallbackName> = Parameters<NonNullable<InvitationEvents[N]>>;

/** A callback as data. */
export type Callback = { [N in CallbackName]: { name: N; args: CallbackArgs<N> } }[CallbackName];
