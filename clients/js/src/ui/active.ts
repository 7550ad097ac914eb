import { describeActive, outcomeText, typeText, type Words } from "./announce.js";
import { avatar } from "./avatar.js";
import { timerText, type ActiveCard } from "./cards.js";
import { noView, type MakeView, type RinglineElement, type View } from "./host.js";
import { node, setText } from "./nodes.js";
import type { Phone } from "./phone.js";
import { CardButton, Note, Stack, type CardView } from "./stack.js";
import { listed } from "./texts.js";

/** `<ringline-active>`: the calls that this device is in, and those that this user is in on another device. */
export const activeView: MakeView = (host, root, phone) => (phone ? new ActiveView(host, root, phone) : noView);

class ActiveView implements View {
  private readonly stack: Stack<ActiveCard>;

  constructor(
    host: RinglineElement,
    root: ShadowRoot,
    phone: Phone,
  ) {
    this.stack = new Stack<ActiveCard>(host, root, phone, {
      where: "active",
      cards: () => phone.board.current.active,
      make: (card) => new ActiveCardView(phone, card),
      describe: describeActive,
      appearance: (card) => (card.isElsewhere ? "unrequested" : "successor"),
    });
  }

  update(words: Words): void {
    this.stack.update(words);
  }

  tick(): void {
    this.stack.tick();
  }

  end(): void {
    this.stack.end();
  }
}

class ActiveCardView implements CardView<ActiveCard> {
  readonly element: HTMLElement;
  private readonly title: HTMLElement;
  private readonly type = node("span");
  private readonly time = node("span", { class: "time", part: "time", role: "timer" });
  private readonly face = node("div");
  private readonly note: Note;
  private readonly buttons: CardButton[];
  private readonly actions: HTMLElement;
  private readonly take: HTMLElement;
  private card: ActiveCard;

  constructor(
    private readonly phone: Phone,
    card: ActiveCard,
  ) {
    this.card = card;
    const id = `t-${card.callID}`;
    this.title = node("h2", { id, class: "title", part: "title participants" });
    this.note = new Note(phone, "active");
    const take = new CardButton(phone, "active", card.callID, "take", card.callType === 1 ? "video" : "voice", id);
    this.take = take.element;
    this.buttons = [take, new CardButton(phone, "active", card.callID, "leave", "hangUp", id)];
    this.actions = node("div", { class: "actions", part: "actions" }, ...this.buttons.map((b) => b.element));
    const sub = node("p", { class: "sub", part: "subtitle" }, this.type, this.time);
    const head = node("div", { class: "head" }, this.face, node("div", { class: "who" }, this.title, sub));
    const attributes = { class: "card", part: "card active", role: "group" };
    this.element = node("section", attributes, head, this.note.element, this.actions);
  }

  update(card: ActiveCard, words: Words): void {
    const { texts, language } = words;
    this.card = card;
    const { names, outcome, callID, isElsewhere } = card;
    const all = listed(language, names);
    const [label = ""] = describeActive(words, card);
    setText(this.title, outcome ? outcomeText(texts, outcome, "") : isElsewhere ? label : all || texts.alone);
    this.element.setAttribute("aria-label", label);
    setText(this.type, outcome ? all : typeText(texts, card.callType));
    const [only] = names;
    this.face.hidden = names.length !== 1;
    if (only !== undefined && this.face.dataset.name !== only) {
      this.face.dataset.name = only;
      this.face.replaceChildren(avatar({ userID: card.users[0] ?? only, name: only }));
    }
    this.note.update(callID, Boolean(outcome), words);
    for (const button of this.buttons) button.update(words);
    this.take.hidden = !isElsewhere;
    this.actions.hidden = Boolean(outcome);
    this.tick();
  }

  /** Uses the server's clock, so that the time is the same on all devices and after a reload. */
  tick(): void {
    const { answeredAt, outcome } = this.card;
    const now = this.phone.client.serverNow();
    if (outcome) return; // the final time stays
    setText(this.time, now === undefined || !answeredAt ? "" : timerText(now - Date.parse(answeredAt)));
  }
}
