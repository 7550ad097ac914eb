import type { CallInvitation } from "../kit.js";
import type { RinglineClient } from "../client.js";
import { systemClock, type Clock } from "../clock.js";
import { RinglineError, messageOf } from "../error.js";
import { randomID } from "../random.js";
import type { Call } from "../shapes.js";
import { Board } from "./board.js";
import { FocusKeeper } from "./focus.js";
import { Sounds } from "./sounds.js";
import type { UITexts } from "./texts.js";

/** How an app wants Ringline's elements to be. */
export interface UIOptions {
  /** `en` or `zh`; default: that of the element, else of the document. */
  language?: string;
  /** An app's own words in place of ours. */
  texts?: Partial<UITexts>;
  /** Whether a ringtone and a ringback sound; default: true. */
  sound?: boolean;
  /** Default: as the user's system has it. */
  theme?: "light" | "dark";
  /** Where the elements are mounted; default: document.body, in a corner of the window. */
  target?: HTMLElement;
}

export type Press = "accept" | "decline" | "cancel" | "leave";

const callbackOf = {
  accept: "onIncomingCallAcceptButtonPressed",
  decline: "onIncomingCallDeclineButtonPressed",
  cancel: "onOutgoingCallCancelButtonPressed",
  leave: undefined,
} as const;

/** A client with what its elements share: what they show, what is pressed, and what sounds. */
export class Phone {
  readonly board: Board;
  readonly sounds: Sounds;
  readonly focus = new FocusKeeper();
  options: UIOptions = {};
  /** What is pressed and has no answer yet, by call. */
  readonly pressed = new Map<string, Press>();
  /** Why the last press came to nothing, by call. */
  readonly failed = new Map<string, RinglineError>();

  constructor(
    readonly client: RinglineClient,
    /** The user's name, for a caller whose token has none. */
    private readonly userName = (): string => "",
    clock: Clock = systemClock,
  ) {
    this.board = new Board(client, clock);
    this.sounds = new Sounds(this);
  }

  /** Calls, and shows it from the first moment. */
  async invite(invitation: CallInvitation, callID = randomID()): Promise<Call> {
    const { callees, callType } = invitation;
    const stop = this.board.dials({ callID, callType, callees: Array.isArray(callees) ? callees : [] });
    const userName = this.userName();
    try {
      return await this.client.invite({ ...invitation, callID, ...(userName ? { userName } : {}) });
    } finally {
      stop();
    }
  }

  /** The user pressed a button: the app is told first, then the server. A second press before there is an answer is none. */
  async press(callID: string, what: Press): Promise<void> {
    if (this.pressed.has(callID)) return;
    this.pressed.set(callID, what);
    this.failed.delete(callID);
    this.board.changed();
    const callback = callbackOf[what];
    if (callback) this.client.tellPressed(callback);
    try {
      await this.client[what](callID);
    } catch (error) {
      // An invitation that was never sent: it never will be, and that is what was wanted.
      const isGone = error instanceof RinglineError && error.code === "not_found";
      if (!isGone) this.failed.set(callID, error instanceof RinglineError ? error : new RinglineError("internal", messageOf(error)));
    } finally {
      this.pressed.delete(callID);
      this.board.changed();
    }
  }

  get isConnected(): boolean {
    return this.client.connectionState === "connected";
  }
}

const phones = new WeakMap<RinglineClient, Phone>();

/** The phone of a client that an app has made itself; all elements with this client share it. */
export function phoneOf(client: RinglineClient): Phone {
  const phone = phones.get(client) ?? new Phone(client);
  phones.set(client, phone);
  return phone;
}
