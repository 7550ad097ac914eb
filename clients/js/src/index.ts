export { Ringline } from "./kit.js";
export type { CallInvitationResult, LocalUser } from "./kit.js";
export { CallScenario } from "./kitsession.js";
export type { KitConfig } from "./kitsession.js";
export { CallType } from "./callbacks.js";
export type {
  CallActor,
  CallEnd,
  CallEndReason,
  CallError,
  CallUser,
  ConnectionState,
  InvitationEvents,
} from "./callbacks.js";
export { RinglineClient } from "./client.js";
export type { RinglineEvents } from "./client.js";
export type { ObservableCalls } from "./calls.js";
export type { AddOptions, CallInvitation, InviteOptions, RinglineClientOptions } from "./options.js";
export type { Call, Callee, ShownCall } from "./shapes.js";
export type { Transport } from "./rotation.js";
export { RinglineError } from "./error.js";
export type { ErrorCode } from "./error.js";
export { defineElements } from "./ui/define.js";
export type { RinglineElement } from "./ui/host.js";
export type { UIOptions } from "./ui/phone.js";
export type { UITexts } from "./ui/texts.js";
