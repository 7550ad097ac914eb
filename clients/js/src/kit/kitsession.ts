import type { CallbackArgs, CallbackName, InvitationEvents } from "../api/callbacks.js";
import { RinglineError } from "../api/error.js";
import type { State } from "../calls/reducer.js";
import type { Call } from "../calls/shapes.js";
import { RinglineClient, type RinglineEvents } from "../client/client.js";
import { defaults } from "../client/internals.js";
import type { CallInvitation, RinglineClientOptions } from "../client/options.js";
import { randomID } from "../platform/random.js";
import { readClaims } from "../session/tokens.js";
import { Phone, type UIOptions } from "../ui/phone.js";

/** The purpose of the app. It does not change how calls work. `CALL_INTIVATION` is the spelling of hosted kits. */
export const CallScenario = {
  SINGLE_CALL: 0,
  GROUP_CALL: 1,
  CALL_INVITATION: 2,
  CALL_INTIVATION: 2,
} as const;
export type CallScenario = (typeof CallScenario)[keyof typeof CallScenario];

export interface KitConfig
  extends Pick<RinglineClientOptions, "getToken" | "onTokenWillExpire" | "device" | "transports" | "storage" | "webSocket" | "connectTimeout"> {
  /** The purpose of the app. It changes nothing. */
  mode?: CallScenario;
  /**
   * `false`: Ringline does not mount its elements, and the app places those that it wants. Otherwise the options of the
   * elements.
   */
  ui?: boolean | UIOptions;
}

/** The arguments of init. */
export interface Init {
  appID: string;
  server: string | readonly string[];
  userID: string;
  userName: string;
  token: string;
  config: KitConfig;
}

const events: { [E in keyof RinglineEvents]: CallbackName } = {
  incomingCallReceived: "onIncomingCallReceived",
  incomingCallCanceled: "onIncomingCallCanceled",
  incomingCallTimeout: "onIncomingCallTimeout",
  incomingCallAcceptButtonPressed: "onIncomingCallAcceptButtonPressed",
  incomingCallDeclineButtonPressed: "onIncomingCallDeclineButtonPressed",
  outgoingCallAccepted: "onOutgoingCallAccepted",
  outgoingCallRejectedCauseBusy: "onOutgoingCallRejectedCauseBusy",
  outgoingCallDeclined: "onOutgoingCallDeclined",
  outgoingCallTimeout: "onOutgoingCallTimeout",
  outgoingCallCancelButtonPressed: "onOutgoingCallCancelButtonPressed",
  outgoingCallRinging: "onOutgoingCallRinging",
  incomingCallAnsweredElsewhere: "onIncomingCallAnsweredElsewhere",
  incomingCallDeclinedElsewhere: "onIncomingCallDeclinedElsewhere",
  participantJoined: "onParticipantJoined",
  participantLeft: "onParticipantLeft",
  callStarted: "onCallStarted",
  callEnded: "onCallEnded",
  error: "onError",
  connectionStateChanged: "onConnectionStateChanged",
};

/** Checks the arguments of init, so that a mistake is reported at once and not by a server. */
export function readInit(
  appID: string | number,
  server: string | readonly string[],
  userID: string,
  userName: string,
  token: string,
  config: KitConfig,
): Init {
  const init = { appID: String(appID ?? ""), server, userID, userName: userName ?? "", token: token ?? "", config: config ?? {} };
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(init.appID)) {
    throw invalid("appID", `must be 1 to 64 characters of A-Z a-z 0-9 _ -, got ${JSON.stringify(appID)}`);
  }
  if (typeof userID !== "string" || userID === "") throw invalid("userID", "must be a non-empty string");
  if (typeof init.userName !== "string") throw invalid("userName", "must be a string");
  if (typeof init.token !== "string") throw invalid("token", "must be a string");
  if (init.token) checkToken(init, init.token);
  else if (!init.config.getToken) throw invalid("token", "is missing; pass it or config.getToken");
  return init;
}

function checkToken({ appID, userID }: Init, token: string): void {
  const claims = readClaims(token);
  if (claims.userID !== userID) throw invalid("userID", `must be the token's sub, ${claims.userID}, got ${userID}`);
  if (claims.app !== appID) throw invalid("appID", `must be the token's app, ${claims.app}, got ${appID}`);
}

/** Whether both are for the same session, so that the second changes only callbacks and token. */
export function sameSession(a: Init, b: Init): boolean {
  return sameUser(a, b) && String(a.server) === String(b.server);
}

export function sameUser(a: Init, b: Init): boolean {
  return a.appID === b.appID && a.userID === b.userID;
}

function invalid(field: string, what: string): RinglineError {
  return new RinglineError("invalid_argument", `${field}: ${what}`);
}

/** A session of the kit: a client and the current callbacks. */
export class KitSession {
  readonly client: RinglineClient;
  /** The calls that the elements show. */
  readonly phone: Phone;
  /** Resolves at the first connection. */
  readonly connected: Promise<void>;
  /** unInit was called. The session ends unless init follows at once. */
  closing = false;
  private initReturned = false; // init has returned
  /** The call that is being made, as long as its invitation has no answer. */
  inviting: string | undefined;

  constructor(
    public init: Init,
    private callbacks: InvitationEvents,
    /** The calls have changed. */
    changed: () => void,
    /** The calls of an earlier session of this user, which continue. */
    calls?: State,
  ) {
    const { server, token, config } = init;
    const { getToken } = config;
    const options: RinglineClientOptions = {
      ...config,
      server,
      token,
      onTokenWillExpire: () => this.closing || this.init.config.onTokenWillExpire?.(),
      ...(getToken ? { getToken: () => this.requestToken() } : {}),
    };
    this.client = new RinglineClient(options, { ...defaults, calls });
    for (const event of Object.keys(events) as (keyof RinglineEvents)[]) {
      this.client.on(event, (...args: CallbackArgs<CallbackName>) => this.callBack(events[event], args));
    }
    this.client.calls.subscribe(changed);
    this.phone = new Phone(this.client, () => this.init.userName);
    this.connected = this.client.connect();
    void Promise.resolve().then(() => (this.initReturned = true));
  }

  /** Resumes with new callbacks. */
  resume(init: Init, callbacks: InvitationEvents): void {
    this.closing = false;
    this.callbacks = callbacks;
    if (init.token && init.token !== this.init.token) this.client.renewToken(init.token);
    this.init = init;
  }

  /** Stops the callbacks at once, and ends the session unless it is resumed before the next task. */
  suspend(closed: () => void): void {
    if (this.closing) return;
    this.closing = true;
    void Promise.resolve().then(() => {
      if (!this.closing) return;
      this.close();
      closed();
    });
  }

  /** The session ended by itself: the server refused it. */
  get isOver(): boolean {
    return this.client.connectionState === "disconnected";
  }

  close(): void {
    this.client.disconnect();
  }

  async invite(invitation: CallInvitation): Promise<Call> {
    const callID = randomID();
    this.inviting = callID;
    try {
      return await this.phone.invite(invitation, callID);
    } finally {
      if (this.inviting === callID) this.inviting = undefined;
    }
  }

  private callBack(name: CallbackName, args: CallbackArgs<CallbackName>): unknown {
    // No callback comes before init has returned, and none after unInit.
    if (!this.initReturned) return Promise.resolve().then(() => this.callBack(name, args));
    if (this.closing) return undefined;
    const { callbacks } = this;
    // The client catches exceptions and rejected promises here.
    return (callbacks[name] as ((...args: unknown[]) => unknown) | undefined)?.apply(callbacks, args);
  }

  private async requestToken(): Promise<string> {
    const token = await this.init.config.getToken?.();
    if (token) checkToken(this.init, token);
    return token ?? "";
  }
}
