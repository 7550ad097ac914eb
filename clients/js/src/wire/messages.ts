// Generated from schemas/ by scripts/wire.mjs (npm run generate). docs/reference.md describes the messages.

export type Message = ConnectData | Snapshot | Answer | ReplyLine | Push;
export type View = {
  call_id: string;
  app: string;
  room_id: string;
  call_type: 0 | 1;
  state: "ringing" | "active" | "ended";
  seq: number;
  caller?: Caller;
  callees: Callee[];
  custom_data?: string;
  custom?: {
    [k: string]: string;
  };
  created_at: string;
  expires_at: string;
  answered_at?: string;
  ended_at?: string;
  end_reason?:
    | "completed"
    | "declined"
    | "busy"
    | "timed_out"
    | "canceled"
    | "expired"
    | "server_ended"
    | "caller_busy"
    | "merged"
    | "failed";
  ended_by?: By;
  merged_into?: string;
};
export type By = {
  kind: "user" | "service" | "timer";
  user_id?: string;
  device_id?: string;
  service?: string;
};
export type Answer = {
  command_id?: string;
  ok: boolean;
  error?: Error;
  refused?: Refused[];
  call?: View;
} & (
  | {
      ok?: true;
      error?: never;
    }
  | {
      ok?: false;
    }
);
export type ReplyLine = {
  ok: boolean;
  error?: Error;
  calls?: string[];
} & (
  | {
      ok?: true;
      error?: never;
    }
  | {
      ok?: false;
    }
);
export type Push = SnapshotPush | Notification;
export type Notification =
  | NotificationCallEnded
  | NotificationCallTaken
  | NotificationIncomingCallAnsweredElsewhere
  | NotificationIncomingCallCanceled
  | NotificationIncomingCallDeclinedElsewhere
  | NotificationIncomingCallReceived
  | NotificationIncomingCallTimeout
  | NotificationOutgoingCallAccepted
  | NotificationOutgoingCallDeclined
  | NotificationOutgoingCallRejectedCauseBusy
  | NotificationOutgoingCallRinging
  | NotificationOutgoingCallTimeout
  | NotificationParticipantJoined
  | NotificationParticipantLeft;

export interface ConnectData {
  device?: string;
  showing?: string[];
}
export interface Snapshot {
  server_time: string;
  user_id: string;
  device_id: string;
  calls: CallOfASnapshot[];
}
export interface CallOfASnapshot {
  call: View;
  ring_remaining_ms?: number;
}
export interface Caller {
  user_id: string;
  user_name?: string;
  device_id?: string;
  state: "in" | "left";
  avatar?: string;
  reason?: "lost";
  at: string;
  changed_seq?: number;
  watched?: boolean;
}
export interface Callee {
  user_id: string;
  user_name?: string;
  attempt: number;
  invited_by: string;
  state: "invited" | "ringing" | "accepted" | "left" | "declined" | "busy" | "canceled" | "timed_out";
  reason?: "declined" | "busy" | "line_busy" | "canceled" | "timed_out" | "left" | "ended" | "lost" | "not_reached";
  custom_seq?: number;
  device_id?: string;
  ring_deadline?: string;
  at: string;
  reach_deadline?: string;
  avatar?: string;
  changed_seq?: number;
  watched?: boolean;
}
export interface Error {
  code:
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
    | "internal";
  message: string;
}
export interface Refused {
  user_id: string;
  code: "already_exists" | "invalid_argument";
}
export interface SnapshotPush {
  event: "snapshot";
  snapshot: {
    server_time: string;
    user_id: string;
    device_id: string;
    calls: CallOfASnapshot[];
    showing: string[];
  };
}
export interface NotificationCallEnded {
  event: "call_ended";
  id: string;
  call_id: string;
  seq: number;
  user_id?: string;
  reason:
    | "declined"
    | "busy"
    | "canceled"
    | "timed_out"
    | "not_reached"
    | "left"
    | "lost"
    | "completed"
    | "expired"
    | "server_ended";
  custom_data?: string;
  by: By;
  call: View;
  server_time: string;
}
export interface NotificationCallTaken {
  event: "call_taken";
  id: string;
  call_id: string;
  seq: number;
  user_id: string;
  by: By;
  call: View;
  server_time: string;
  ring_remaining_ms?: number;
}
export interface NotificationIncomingCallAnsweredElsewhere {
  event: "incoming_call_answered_elsewhere";
  id: string;
  call_id: string;
  seq: number;
  user_id: string;
  custom_data?: string;
  by: By;
  call: View;
  server_time: string;
  ring_remaining_ms?: number;
}
export interface NotificationIncomingCallCanceled {
  event: "incoming_call_canceled";
  id: string;
  call_id: string;
  seq: number;
  user_id: string;
  reason: "canceled" | "ended";
  custom_data?: string;
  by: By;
  call: View;
  server_time: string;
}
export interface NotificationIncomingCallDeclinedElsewhere {
  event: "incoming_call_declined_elsewhere";
  id: string;
  call_id: string;
  seq: number;
  user_id: string;
  reason: "declined" | "busy";
  custom_data?: string;
  by: By;
  call: View;
  server_time: string;
}
export interface NotificationIncomingCallReceived {
  event: "incoming_call_received";
  id: string;
  call_id: string;
  seq: number;
  user_id: string;
  custom_data?: string;
  by: By;
  call: View;
  server_time: string;
  ring_remaining_ms: number;
}
export interface NotificationIncomingCallTimeout {
  event: "incoming_call_timeout";
  id: string;
  call_id: string;
  seq: number;
  user_id: string;
  reason: "timed_out" | "not_reached";
  custom_data?: string;
  by: By;
  call: View;
  server_time: string;
}
export interface NotificationOutgoingCallAccepted {
  event: "outgoing_call_accepted";
  id: string;
  call_id: string;
  seq: number;
  user_id: string;
  custom_data?: string;
  by: By;
  call: View;
  server_time: string;
  ring_remaining_ms?: number;
}
export interface NotificationOutgoingCallDeclined {
  event: "outgoing_call_declined";
  id: string;
  call_id: string;
  seq: number;
  user_id: string;
  reason: "declined";
  custom_data?: string;
  by: By;
  call: View;
  server_time: string;
  ring_remaining_ms?: number;
}
export interface NotificationOutgoingCallRejectedCauseBusy {
  event: "outgoing_call_rejected_cause_busy";
  id: string;
  call_id: string;
  seq: number;
  user_id: string;
  reason: "busy" | "line_busy";
  custom_data?: string;
  by: By;
  call?: View;
  server_time: string;
  ring_remaining_ms?: number;
}
export interface NotificationOutgoingCallRinging {
  event: "outgoing_call_ringing";
  id: string;
  call_id: string;
  seq: number;
  user_id: string;
  by: By;
  call: View;
  server_time: string;
  ring_remaining_ms: number;
}
export interface NotificationOutgoingCallTimeout {
  event: "outgoing_call_timeout";
  id: string;
  call_id: string;
  seq: number;
  user_id: string;
  reason: "timed_out" | "not_reached";
  custom_data?: string;
  by: By;
  call?: View;
  server_time: string;
  ring_remaining_ms?: number;
}
export interface NotificationParticipantJoined {
  event: "participant_joined";
  id: string;
  call_id: string;
  seq: number;
  user_id: string;
  by: By;
  call: View;
  server_time: string;
  ring_remaining_ms?: number;
}
export interface NotificationParticipantLeft {
  event: "participant_left";
  id: string;
  call_id: string;
  seq: number;
  user_id: string;
  reason: "left" | "lost";
  custom_data?: string;
  by: By;
  call: View;
  server_time: string;
  ring_remaining_ms?: number;
}

export type Method =
  | "accept"
  | "add"
  | "cancel"
  | "decline"
  | "end"
  | "get"
  | "invite"
  | "leave"
  | "line"
  | "present"
  | "ring"
  | "take";
