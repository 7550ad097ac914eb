import { typeText, type Words } from "./announce.js";
import type { IncomingCard } from "./cards.js";
import { fill } from "./texts.js";

/** Whether the page may ask the user for system notifications. It may do so only after a press. */
export function canAskForNotices(): boolean {
  return typeof Notification !== "undefined" && Notification.permission === "default" && isSecureContext;
}

/** Asks the user. Call it in the handler of a press. */
export async function askForNotices(): Promise<void> {
  try {
    await Notification.requestPermission();
  } catch {
    // this browser can't ask
  }
}

/** System notifications for calls that ring while the page is hidden. */
export class Notices {
  private readonly shown = new Map<string, Notification>();
  private readonly notified = new Set<string>();
  private ringing: readonly IncomingCard[] = [];
  private words: Words | undefined;
  private readonly onVisibility = (): void => this.update(this.ringing, this.words);

  start(): void {
    document.addEventListener("visibilitychange", this.onVisibility);
  }

  stop(): void {
    document.removeEventListener("visibilitychange", this.onVisibility);
    this.update([], undefined);
  }

  update(cards: readonly IncomingCard[], words: Words | undefined): void {
    this.ringing = cards.filter((card) => !card.outcome);
    this.words = words;
    const isHidden = document.visibilityState === "hidden";
    for (const [callID, notice] of this.shown) {
      if (isHidden && this.ringing.some((c) => c.callID === callID)) continue;
      notice.close();
      this.shown.delete(callID);
    }
    for (const callID of this.notified) {
      if (!this.ringing.some((c) => c.callID === callID)) this.notified.delete(callID);
    }
    if (isHidden && words) this.ringing.forEach((card) => this.show(card, words));
  }

  private show({ callID, caller, callType }: IncomingCard, { texts }: Words): void {
    if (this.notified.has(callID) || typeof Notification === "undefined" || Notification.permission !== "granted") return;
    this.notified.add(callID);
    try {
      // With one tag per call, two hidden tabs show one notification.
      const options = { body: typeText(texts, callType), tag: `ringline.${callID}`, requireInteraction: true };
      const notice = new Notification(fill(texts.incoming, { name: caller.name }), options);
      notice.onclick = () => {
        window.focus();
        notice.close();
      };
      this.shown.set(callID, notice);
    } catch {
      // Android allows notifications only from a service worker
    }
  }
}
