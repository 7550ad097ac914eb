import { failureText, newSentences, pressText, type Sentences, type Words } from "./announce.js";
import type { Cards } from "./board.js";
import type { Press } from "./cards.js";
import { ignoreEarlyKeys, type Appearance } from "./focus.js";
import { icon, node, setText, type Icon } from "./nodes.js";
import type { Phone } from "./phone.js";

/** How to draw a card of one kind. */
export interface CardView<C> {
  readonly element: HTMLElement;
  update(card: C, words: Words): void;
  tick?(): void;
}

/** The differences between the elements that show cards. */
export interface Kind<C> {
  where: keyof Cards;
  cards(): readonly C[];
  make(card: C): CardView<C>;
  describe(words: Words, card: C): Sentences;
  appearance(card: C): Appearance;
}

/** A stack of cards, with the announcements for a screen reader. */
export class Stack<C extends { callID: string; outcome?: unknown }> {
  private readonly list = node("div", { class: "cards", part: "cards" });
  private readonly live = node("div", { class: "announcements", role: "status", "aria-live": "polite" });
  private readonly views = new Map<string, { view: CardView<C>; gone: () => void; isOver: boolean }>();
  private announced: ReadonlyMap<string, Sentences> = new Map();

  constructor(
    private readonly host: HTMLElement,
    root: ShadowRoot,
    private readonly phone: Phone,
    private readonly kind: Kind<C>,
    after: readonly Node[] = [],
  ) {
    for (const old of [...root.children]) if (old.localName !== "style") old.remove();
    root.append(this.live, this.list, ...after);
  }

  update(words: Words): void {
    const { kind, views, host, phone } = this;
    const cards = kind.cards();
    host.toggleAttribute("showing", cards.length > 0);
    if (phone.options.theme) host.setAttribute("theme", phone.options.theme);
    for (const [callID, { view, gone }] of views) {
      if (cards.some((card) => card.callID === callID)) continue;
      gone();
      view.element.remove();
      views.delete(callID);
      phone.forget(kind.where, callID);
    }
    for (const card of cards) this.draw(card, words);
    this.announce(cards, words);
  }

  tick(): void {
    for (const { view } of this.views.values()) view.tick?.();
  }

  end(): void {
    for (const { view, gone } of this.views.values()) {
      gone();
      view.element.remove();
    }
    this.views.clear();
    this.host.removeAttribute("showing");
  }

  private draw(card: C, words: Words): void {
    const { kind, phone, views } = this;
    const known = views.get(card.callID);
    if (known) {
      if (card.outcome && !known.isOver) known.gone(); // its buttons go, and the focus with them
      known.isOver ||= Boolean(card.outcome);
      return known.view.update(card, words);
    }
    const view = kind.make(card);
    view.update(card, words);
    this.list.append(view.element);
    const first = (): HTMLElement | undefined => view.element.querySelector<HTMLElement>("button:not([hidden], [hidden] *)") ?? undefined;
    const gone = card.outcome ? () => {} : phone.focus.add(view.element, first, kind.appearance(card));
    views.set(card.callID, { view, gone, isOver: Boolean(card.outcome) });
  }

  private announce(cards: readonly C[], words: Words): void {
    const { where } = this.kind;
    const now = new Map<string, Sentences>();
    for (const card of cards) {
      const press = this.phone.pressedOn(where, card.callID);
      const error = this.phone.failedOn(where, card.callID);
      const more = press ? [pressText(words.texts, press)] : error ? [failureText(words.texts, error)] : [];
      now.set(card.callID, [...this.kind.describe(words, card), ...more]);
    }
    if (cards.length > 0 && !this.phone.isConnected) now.set("", [words.texts.reconnecting]);
    const said = newSentences(this.announced, now);
    this.announced = now;
    if (said.length > 0) this.live.textContent = said.join(". ");
    else if (cards.length === 0) this.live.textContent = "";
  }
}

/** The line of a card that shows what a press is waiting for, or why it failed. */
export class Note {
  readonly element = node("p", { class: "note", part: "note" });

  constructor(
    private readonly phone: Phone,
    private readonly where: keyof Cards,
  ) {}

  update(callID: string, isOver: boolean, { texts }: Words): void {
    const press = this.phone.pressedOn(this.where, callID);
    const error = this.phone.failedOn(this.where, callID);
    const text = press ? pressText(texts, press) : error ? failureText(texts, error) : this.phone.isConnected ? "" : texts.reconnecting;
    setText(this.element, isOver ? "" : text);
    this.element.classList.toggle("bad", !press && Boolean(error));
  }
}

/** A button of a card. While a press of its call has no answer, it ignores further presses and keeps the focus. */
export class CardButton {
  readonly element: HTMLButtonElement;
  private readonly label = node("span");

  constructor(
    private readonly phone: Phone,
    private readonly where: keyof Cards,
    private readonly callID: string,
    private readonly press: Press,
    image: Icon,
    describedBy: string,
  ) {
    const kind = press === "accept" || press === "take" ? "accept" : "decline";
    const attributes = { type: "button", class: kind, part: `button ${press}`, "aria-describedby": describedBy };
    this.element = node("button", attributes, icon(image), this.label);
    this.element.addEventListener("click", () => void phone.press(callID, press));
    ignoreEarlyKeys(this.element);
  }

  update({ texts }: Words): void {
    setText(this.label, texts[this.press]);
    this.element.setAttribute("aria-disabled", String(Boolean(this.phone.pressedOn(this.where, this.callID))));
  }
}
