import { RinglineError, messageOf } from "../api/error.js";
import { randomID } from "../platform/random.js";
import { failureText, typeText, type Words } from "./announce.js";
import type { MakeView, RinglineElement, View } from "./host.js";
import { readInvitation } from "./invitation.js";
import { icon, node, setText } from "./nodes.js";
import type { Phone } from "./phone.js";

/** `<ringline-call-button>`: calls the users named in its attributes. */
export const callButtonView: MakeView = (host, root, phone) => new CallButtonView(host, root, phone);

export const callButtonAttributes = ["callees", "call-type", "custom-data", "timeout", "room-id", "disabled"] as const;

class CallButtonView implements View {
  private readonly button: HTMLButtonElement;
  private readonly label = node("slot");
  private readonly image = node("span", { "aria-hidden": "true", class: "image" });
  private readonly note = node("p", { class: "note bad", part: "note", role: "status", "aria-live": "polite" });
  private readonly onOutside = (event: Event): void => this.forget(event);
  private callID = "";
  private error: RinglineError | undefined;
  private words: Words | undefined;

  constructor(
    private readonly host: RinglineElement,
    root: ShadowRoot,
    private readonly phone: Phone | undefined,
  ) {
    this.button = node("button", { type: "button", class: "call", part: "button call" }, this.image, this.label);
    this.button.addEventListener("click", () => void this.call());
    for (const old of [...root.children]) if (old.localName !== "style") old.remove();
    root.append(this.button, this.note);
    document.addEventListener("pointerdown", this.onOutside, true);
  }

  update(words: Words): void {
    this.words = words;
    const { host, phone, button } = this;
    if (phone?.options.theme) host.setAttribute("theme", phone.options.theme);
    const isVideo = ["1", "video"].includes((host.getAttribute("call-type") ?? "").trim().toLowerCase());
    const image = isVideo ? "video" : "voice";
    if (this.image.dataset.icon !== image) {
      this.image.dataset.icon = image;
      this.image.replaceChildren(icon(image));
    }
    if (this.label.textContent !== words.texts.call) this.label.textContent = words.texts.call;
    button.title = typeText(words.texts, isVideo ? 1 : 0);
    button.disabled = host.hasAttribute("disabled") || this.isCalling();
    setText(this.note, this.error ? failureText(words.texts, this.error) : "");
  }

  end(): void {
    document.removeEventListener("pointerdown", this.onOutside, true);
  }

  private isCalling(): boolean {
    return this.callID !== "" && Boolean(this.phone?.board.current.outgoing.some((c) => c.callID === this.callID && !c.outcome));
  }

  private async call(): Promise<void> {
    const { host, phone } = this;
    this.error = undefined;
    try {
      if (!phone) throw new RinglineError("disconnected", "call Ringline.init first");
      const attribute = (name: string): string | null => host.getAttribute(name);
      const invitation = readInvitation({
        callees: attribute("callees"),
        callType: attribute("call-type"),
        customData: attribute("custom-data"),
        timeout: attribute("timeout"),
        roomID: attribute("room-id"),
      });
      this.callID = randomID();
      this.redraw();
      const call = await phone.invite(invitation, this.callID);
      this.dispatch("ringline-call", { callID: call.callID, roomID: call.roomID });
    } catch (thrown) {
      const error = thrown instanceof RinglineError ? thrown : new RinglineError("internal", messageOf(thrown));
      if (error.code === "call_ended") return; // canceled before it was sent
      this.error = error;
      this.dispatch("ringline-error", { code: error.code, message: error.message });
    } finally {
      this.redraw();
    }
  }

  /** Hides an error that the user has read. */
  private forget(event: Event): void {
    if (!this.error || event.composedPath().includes(this.host)) return;
    this.error = undefined;
    this.redraw();
  }

  private redraw(): void {
    if (this.words) this.update(this.words);
  }

  private dispatch(name: string, detail: object): void {
    this.host.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}
