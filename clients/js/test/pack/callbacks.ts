// Copied into an empty project with the packed client, as ESM and as CommonJS. It must type-check with all callbacks.
import { Ringline, RinglineClient, RinglineError, CallType, CallScenario } from "@ringline/client";
import type { CallUser, InvitationEvents, RinglineClientOptions, ShownCall, CallEnd, CallStart } from "@ringline/client";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <_ extends true>(): void => {};
type Args<N extends keyof InvitationEvents> = Parameters<NonNullable<InvitationEvents[N]>>;

same<Equal<Args<"onIncomingCallReceived">, [callID: string, caller: CallUser, callType: 0 | 1, callees: CallUser[], customData: string]>>();
same<Equal<Args<"onIncomingCallCanceled">, [callID: string, caller: CallUser, customData: string]>>();
same<Equal<Args<"onIncomingCallTimeout">, [callID: string, caller: CallUser]>>();
same<Equal<Args<"onIncomingCallAcceptButtonPressed">, []>>();
same<Equal<Args<"onIncomingCallDeclineButtonPressed">, []>>();
same<Equal<Args<"onOutgoingCallAccepted">, [callID: string, calleeID: string]>>();
same<Equal<Args<"onOutgoingCallRejectedCauseBusy">, [callID: string, calleeID: string, customData: string]>>();
same<Equal<Args<"onOutgoingCallDeclined">, [callID: string, calleeID: string]>>();
same<Equal<Args<"onOutgoingCallTimeout">, [callID: string, calleeID: string, customData: string]>>();
same<Equal<Args<"onOutgoingCallCancelButtonPressed">, []>>();
same<Equal<Args<"onCallStarted">, [callID: string, roomID: string, start: CallStart]>>();
same<Equal<Args<"onCallEnded">, [callID: string, roomID: string, end: CallEnd]>>();

const log: unknown[] = [];
const events: InvitationEvents = {
  onIncomingCallReceived: (callID, caller, callType, callees, customData) => {
    log.push(callID, caller.userID, caller.userName, callType === CallType.videoCall, callees[0]?.userName, customData);
  },
  onIncomingCallCanceled: (callID, caller, customData) => log.push(callID, caller, customData),
  onIncomingCallTimeout: (callID, caller) => log.push(callID, caller),
  onIncomingCallAcceptButtonPressed: () => log.push("accept"),
  onIncomingCallDeclineButtonPressed: () => log.push("decline"),
  onOutgoingCallAccepted: (callID, calleeID) => log.push(callID, calleeID),
  onOutgoingCallRejectedCauseBusy: (callID, calleeID, customData) => log.push(callID, calleeID, customData),
  onOutgoingCallDeclined: (callID, calleeID) => log.push(callID, calleeID),
  onOutgoingCallTimeout: (callID, calleeID, customData) => log.push(callID, calleeID, customData),
  onOutgoingCallCancelButtonPressed: () => log.push("cancel"),
  onOutgoingCallRinging: (callID, calleeID) => log.push(callID, calleeID),
  onIncomingCallAnsweredElsewhere: (callID, caller) => log.push(callID, caller),
  onIncomingCallDeclinedElsewhere: (callID, caller) => log.push(callID, caller),
  onCallStarted: (callID, roomID, { callType, how }) => log.push(callID, roomID, callType === CallType.videoCall, how === "answered"),
  onCallEnded: (callID, roomID, { reason, by }) => log.push(callID, roomID, reason === "completed", by?.deviceID),
  onError: ({ code, message, callID }) => log.push(code === "timeout", message, callID),
  onConnectionStateChanged: (state) => log.push(state === "connected"),
};

export async function app(token: string): Promise<string> {
  await Ringline.init("demo", "", "ann", "Ann", token, { mode: CallScenario.CALL_INTIVATION, onTokenWillExpire() {}, ui: false }, events);
  try {
    const { callID, state, errorUserList } = await Ringline.sendCallInvitation({
      callees: [{ userID: "bob", userName: "Bob" }],
      callType: CallType.voiceCall,
      customData: "hi",
      timeout: 60,
      roomID: "room",
    });
    errorUserList.map(({ userID, reason }) => `${userID}: ${reason}`);
    if (state === "ringing") await Ringline.cancel(callID);
    await Ringline.take();
    Ringline.subscribe((calls: readonly ShownCall[]) => calls.filter((c) => c.phase === "elsewhere"))();
    await Ringline.decline(undefined, { reason: "busy" });
  } catch (error) {
    if (error instanceof RinglineError && error.code === "caller_busy") return error.message;
  }
  const options: RinglineClientOptions = { server: ["https://a", "wss://b"], getToken: async () => token, transports: ["sse"] };
  const client = new RinglineClient(options);
  const off = client.on("callEnded", (_callID, _roomID, end) => end.reason satisfies string);
  client.calls.subscribe((calls: readonly ShownCall[]) => calls.map((c) => c.ringRemaining()));
  off();
  Ringline.unInit();
  return Ringline.getLocalUser()?.deviceID ?? "";
}

// @ts-expect-error a callback that there is not
export const misspelt: InvitationEvents = { onIncomingCallRecieved: () => {} };
// @ts-expect-error an option that there is not
export const wrong: RinglineClientOptions = { servers: [] };
