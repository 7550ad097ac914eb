import type { CallUser, InvitationEvents } from "../api/callbacks.js";
import { CallType } from "../api/callbacks.js";
import { RinglineError } from "../api/error.js";
import { version } from "../api/version.js";
import { errorsOf, type Call, type ShownCall, type UserError } from "../calls/shapes.js";
import { noCalls } from "../calls/shown.js";
import { RinglineClient } from "../client/client.js";
import { Emitter } from "../client/emitter.js";
import type { AddOptions, CallInvitation } from "../client/options.js";
import { mount, unmount } from "../ui/mount.js";
import { CallScenario, KitSession, readInit, sameSession, sameUser, type KitConfig } from "./kitsession.js";

export interface LocalUser extends CallUser {
  /** The id of this device, as the server knows it; `""` before the first connection. */
  deviceID: string;
}

export interface CallInvitationResult {
  code: 0;
  /**
   * The id of the call. If the only callee was calling this user at the same time, it is the callee's call, which is
   * now answered.
   */
  callID: string;
  /** The room for the media. */
  roomID: string;
  /**
   * `ringing`; `active` if the only callee was calling this user at the same time; `ended` if no device of any callee
   * rings.
   */
  state: Call["state"];
  /** How long it rings, in seconds. */
  timeout: number;
  /**
   * The callees whose devices do not ring, with `line_busy` (in another call) or `timed_out` (the invitation arrived too
   * late).
   */
  errorUserList: UserError[];
  customData: string;
}

export interface AddResult {
  callID: string;
  /**
   * The added callees whose devices do not ring because of it, with `line_busy`, `timed_out`, `already_exists` (in the
   * call already, or ringing) or `invalid_argument` (the caller).
   */
  errorUserList: UserError[];
}

let session: KitSession | undefined;

let last = noCalls; // the calls that the listeners know
const listeners = /* @__PURE__ */ new Emitter<{ change: unknown }>(() => {}); // it reports exceptions to the console

function callsChanged(): void {
  const calls = Ringline.getCalls();
  if (calls === last) return;
  last = calls;
  listeners.emit("change", [calls]);
}

/** The session. Throws if there is none. */
function openSession(): KitSession {
  if (!session || session.closing) throw new RinglineError("disconnected", "call init first");
  return session;
}

/**
 * The kit: one session of one user for the whole page. Every failure rejects with a RinglineError whose message names
 * the argument.
 */
export const Ringline = {
  /**
   * Connects this user, and makes the callbacks in `invitationEvents` from then on. It resolves once it is connected,
   * and rejects if an argument is invalid or the server refuses. A second call for the same user returns the same
   * session with the new callbacks and token. If the server has ended the session, it opens another one in which the calls
   * continue. Call `unInit` before an init for another user.
   */
  async init(
    appID: string | number,
    server: string | readonly string[],
    userID: string,
    userName: string,
    token: string,
    config: KitConfig = {},
    invitationEvents: InvitationEvents = {},
  ): Promise<LocalUser> {
    const init = readInit(appID, server, userID, userName, token, config);
    if (session && !session.isOver && sameSession(session.init, init)) session.resume(init, invitationEvents);
    else {
      if (session && !session.isOver && !session.closing) {
        throw new RinglineError("invalid_argument", "userID: another session is open; call unInit first");
      }
      const calls = session?.isOver && sameUser(session.init, init) ? session.client.knownCalls : undefined;
      const next = new KitSession(init, invitationEvents, callsChanged, calls);
      session?.close();
      session = next;
    }
    callsChanged();
    mount(session.phone, init.config.ui);
    await session.connected;
    return Ringline.getLocalUser() ?? { userID, userName, deviceID: "" };
  },

  /** Calls the callees. It resolves once the call rings, or is known not to ring. */
  async sendCallInvitation(invitation: CallInvitation): Promise<CallInvitationResult> {
    const call = await openSession().invite(invitation);
    const shown = Ringline.getCalls().find((c) => c.callID === call.callID);
    return {
      code: 0,
      callID: call.callID,
      roomID: call.roomID,
      state: call.state,
      timeout: invitation.timeout ?? Math.ceil((shown?.ringRemaining() || 60_000) / 1000),
      errorUserList: errorsOf(call.callees, call),
      customData: invitation.customData ?? "",
    };
  },

  /**
   * Invites more callees into a call, or invites some of them again. For the caller, and for callees who have accepted.
   * Default: the newest call that this user is in here. Each callee has an outcome; it rejects if none can be invited.
   */
  async add(callID: string | undefined, options: AddOptions): Promise<AddResult> {
    const added = await openSession().client.add(pick(callID, "add to", invites), options);
    return { callID: added.callID, errorUserList: added.errorUserList };
  },

  /** Accepts a call. Default: the newest call that rings here. */
  async accept(callID?: string, options: { customData?: string } = {}): Promise<void> {
    await openSession().client.accept(pick(callID, "accept", rings), options);
  },

  /** Declines a call, as declined or as busy. Default: the newest call that rings here. */
  async decline(callID?: string, options: { reason?: "declined" | "busy"; customData?: string } = {}): Promise<void> {
    await openSession().client.decline(pick(callID, "decline", rings), options);
  },

  /**
   * Moves a call that this user is in on another device to this device. Default: the newest call on another device. There
   * it ends with the reason `taken_elsewhere`.
   */
  async take(callID?: string): Promise<void> {
    await openSession().client.take(pick(callID, "take", elsewhere));
  },

  /** Cancels the invitations of all callees who have not answered. Default: those of the newest call made here. */
  async cancel(callID?: string, options: { customData?: string } = {}): Promise<void> {
    await hangUp("cancel", callID, outgoing, options);
  },

  /**
   * Leaves a call, which continues for the others. Default: the newest call here. With its id, it also leaves a call
   * that this user is in on another device.
   */
  async leave(callID?: string, options: { customData?: string } = {}): Promise<void> {
    await hangUp("leave", callID, here, options);
  },

  /** Ends a call for all parties. For the caller only. Default: the newest call made here. */
  async end(callID?: string, options: { customData?: string } = {}): Promise<void> {
    await hangUp("end", callID, outgoing, options);
  },

  /** Takes a newer token of the same user. Call it from onTokenWillExpire. */
  renewToken(token: string): void {
    openSession().client.renewToken(token);
  },

  /** The user passed to init; null before it and after unInit. */
  getLocalUser(): LocalUser | null {
    if (!session || session.closing) return null;
    const { userID, userName } = session.init;
    return { userID, userName, deviceID: session.client.deviceID };
  },

  /**
   * The calls shown here, and those that this user is in on another device (phase `elsewhere`), newest last. The array
   * is a new one exactly when something has changed, as React's useSyncExternalStore needs it.
   */
  getCalls(): readonly ShownCall[] {
    return session && !session.closing ? session.client.calls.current : noCalls;
  },

  /**
   * Calls the listener with the calls after each change, until the returned function is called. It may be called before
   * init, and stays subscribed across sessions.
   */
  subscribe(listener: (calls: readonly ShownCall[]) => void): () => void {
    return listeners.on("change", listener);
  },

  /**
   * Ends the session and releases everything: connection, timers, callbacks. Calls continue on the server, so leave or
   * end them first. An immediate init for the same user, as in React's StrictMode, keeps the connection.
   */
  unInit(): void {
    const closing = session;
    unmount();
    closing?.suspend(() => {
      if (session === closing) session = undefined;
    });
    callsChanged();
  },

  CallType,
  CallScenario,
  RinglineClient,
  RinglineError,
  version,
};

const elsewhere = (c: ShownCall): boolean => c.phase === "elsewhere";
const here = (c: ShownCall): boolean => !elsewhere(c);
const rings = (c: ShownCall): boolean => c.direction === "incoming" && c.phase === "ringing";
const invites = (c: ShownCall): boolean => c.phase === "active" || outgoing(c);
const outgoing = (c: ShownCall): boolean => c.direction === "outgoing" && here(c);

function pick(callID: string | undefined, verb: string, fits: (call: ShownCall) => boolean): string {
  const call = callID ?? openSession().client.calls.current.filter(fits).pop()?.callID;
  if (!call) throw new RinglineError("not_found", `callID: there is no call here to ${verb}`);
  return call;
}

/**
 * Also ends a call whose invitation has no answer yet. If the invitation was not sent, it never is, which counts as
 * success.
 */
async function hangUp(
  verb: "cancel" | "leave" | "end",
  callID: string | undefined,
  fits: (call: ShownCall) => boolean,
  options: { customData?: string },
): Promise<void> {
  const { client, inviting } = openSession();
  const target = callID ?? inviting ?? pick(callID, verb, fits);
  try {
    await client[verb](target, options);
  } catch (error) {
    if (target !== inviting || !(error instanceof RinglineError) || error.code !== "not_found") throw error;
  }
}
