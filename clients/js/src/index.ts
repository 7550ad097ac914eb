export { Ringline } from "./kit/kit.js";
export type { AddResult, CallInvitationResult, LocalUser } from "./kit/kit.js";
export { CallScenario } from "./kit/kitsession.js";
export type { KitConfig } from "./kit/kitsession.js";
export { CallType } from "./api/callbacks.js";
export type {
  CallActor,
  CallEnd,
  CallEndReason,
  CallError,
  CallStart,
  CallUser,
  ConnectionState,
  InvitationEvents,
} from "./api/callbacks.js";
export { RinglineClient } from "./client/client.js";
export type { RinglineEvents } from "./client/client.js";
export type { ObservableCalls } from "./calls/shown.js";
export type { AddOptions, CallInvitation, InviteOptions, RinglineClientOptions } from "./client/options.js";
export type { AddedCall, Call, Callee, ShownCall, UserError } from "./calls/shapes.js";
export type { Transport } from "./session/rotation.js";
export { RinglineError } from "./api/error.js";
export type { ErrorCode } from "./api/error.js";
export { defineElements } from "./ui/define.js";
export type { RinglineElement } from "./ui/host.js";
export type { UIOptions } from "./ui/phone.js";
export type { UITexts } from "./ui/texts.js";
