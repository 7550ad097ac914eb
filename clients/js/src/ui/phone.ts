import { RinglineError, messageOf } from "../api/error.js";
import type { Call } from "../calls/shapes.js";
import type { RinglineClient } from "../client/client.js";
import type { CallInvitation } from "../client/options.js";
import { systemClock, type Clock } from "../platform/clock.js";
import { randomID } from "../platform/random.js";
import { Board, type Cards } from "./board.js";
import type { Press } from "./cards.js";
import { FocusKeeper } from "./focus.js";
import { Sounds } from "./sounds.js";
import type { UITexts } from "./texts.js";

/** Options for Ringline's elements. */
export interface UIOptions {
  /** `en` or `zh`; default: the language of the element, else of the document. */
  language?: string;
  /** An app's own texts, which replace ours. */
  texts?: Partial<UITexts>;
  /** Whether a ringtone and a ringback are played; default: true. */
  sound?: boolean;
  /** Default: the theme of the user's system. */
  theme?: "light" | "dark";
  /** Where the elements are mounted; default: document.body, in a corner of the window. */
  target?: HTMLElement;
}

/** The card that has each button. */
const cardOf = { accept: "incoming", decline: "incoming", cancel: "outgoing", take: "active", leave: "active" } as const;

const callbackOf = {
  accept: "onIncomingCallAcceptButtonPressed",
  decline: "onIncomingCallDeclineButtonPressed",
  cancel: "onOutgoingCallCancelButtonPressed",
  take: undefined,
  leave: undefined,
} as const;

/** A client with the state that its elements share: cards, presses and sounds. */
export class Phone {
  readonly board: Board;
  readonly sounds: Sounds;
  readonly focus = new FocusKeeper();
  options: UIOptions = {};
  private readonly pressed = new Map<string, Press>(); // by card
  private readonly failed = new Map<string, RinglineError>();

  constructor(
    readonly client: RinglineClient,
    /** The user's name, for a caller whose token has none. */
    private readonly userName = (): string => "",
    clock: Clock = systemClock,
  ) {
    this.board = new Board(client, clock);
    this.sounds = new Sounds(this);
  }

  /** Calls the callees, and shows the call from the first moment. */
  async invite(invitation: CallInvitation, callID = randomID()): Promise<Call> {
    const { callees, callType } = invitation;
    const stop = this.board.showDialed({ callID, callType, callees: Array.isArray(callees) ? callees : [] });
    const userName = this.userName();
    try {
      return await this.client.invite({ ...invitation, callID, ...(userName ? { userName } : {}) });
    } finally {
      stop();
    }
  }

  /**
   * Handles a press of a button. The app is notified first, then the server. A second press before the answer is
   * ignored.
   */
  async press(callID: string, what: Press): Promise<void> {
    const card = key(cardOf[what], callID);
    if (this.pressed.has(card)) return;
    this.pressed.set(card, what);
    this.failed.delete(card);
    this.board.changed();
    const callback = callbackOf[what];
    if (callback) this.client.emitPressed(callback);
    try {
      await this.client[what](callID);
    } catch (error) {
      // The invitation was never sent and never will be, which counts as success.
      const isGone = error instanceof RinglineError && error.code === "not_found";
      if (!isGone) this.failed.set(card, error instanceof RinglineError ? error : new RinglineError("internal", messageOf(error)));
    } finally {
      this.pressed.delete(card);
      this.board.changed();
    }
  }

  /** The press on a card that has no answer yet. */
  pressedOn(where: keyof Cards, callID: string): Press | undefined {
    return this.pressed.get(key(where, callID));
  }

  /** The error of the last press on a card. */
  failedOn(where: keyof Cards, callID: string): RinglineError | undefined {
    return this.failed.get(key(where, callID));
  }

  /** Forgets the presses and errors of a card that is gone. */
  forget(where: keyof Cards, callID: string): void {
    this.failed.delete(key(where, callID));
  }

  get isConnected(): boolean {
    return this.client.connectionState === "connected";
  }
}

const key = (where: keyof Cards, callID: string): string => `${where} ${callID}`;

const phones = new WeakMap<RinglineClient, Phone>();

/** The phone of a client that the app has made. All elements with this client share it. */
export function phoneOf(client: RinglineClient): Phone {
  const phone = phones.get(client) ?? new Phone(client);
  phones.set(client, phone);
  return phone;
}
