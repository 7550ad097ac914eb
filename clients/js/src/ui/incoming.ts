import { describeIncoming, outcomeText, typeText, type Words } from "./announce.js";
import { avatar } from "./avatar.js";
import { ringLeft, type IncomingCard } from "./cards.js";
import { noView, type MakeView, type RinglineElement, type View } from "./host.js";
import { Circle, icon, node, setText } from "./nodes.js";
import { askForNotices, canAskForNotices, Notices } from "./notices.js";
import type { Phone } from "./phone.js";
import { CardButton, Note, Stack, type CardView } from "./stack.js";
import { fill, listed } from "./texts.js";

/** `<ringline-incoming>`: the calls that ring here. */
export const incomingView: MakeView = (host, root, phone) => (phone ? new IncomingView(host, root, phone) : noView);

class IncomingView implements View {
  private readonly stack: Stack<IncomingCard>;
  private readonly notices = new Notices();
  private readonly soundHint: HTMLButtonElement;
  private readonly noticeHint: HTMLButtonElement;
  private readonly stopSound: () => void;

  constructor(
    private readonly host: RinglineElement,
    root: ShadowRoot,
    private readonly phone: Phone,
  ) {
    this.soundHint = hint("sound", () => this.phone.sounds.ringer.retry());
    this.noticeHint = hint("bell", () => void askForNotices().then(() => this.phone.board.changed()));
    const hints = node("div", { class: "hints", part: "hints" }, this.soundHint, this.noticeHint);
    this.stack = new Stack<IncomingCard>(
      host,
      root,
      phone,
      {
        where: "incoming",
        cards: () => phone.board.current.incoming,
        make: (card) => new IncomingCardView(phone, card),
        describe: describeIncoming,
        appearance: () => "unrequested",
      },
      [hints],
    );
    this.stopSound = host.hasAttribute("muted") ? () => {} : phone.sounds.use("ringtone");
    this.notices.start();
  }

  update(words: Words): void {
    const { board, sounds } = this.phone;
    const rings = board.current.incoming.some((card) => !card.outcome);
    this.stack.update(words);
    const isBlocked = sounds.ringer.state === "blocked" && !sounds.ringer.isCovered;
    label(this.soundHint, words.texts.hearRingtone, rings && isBlocked);
    label(this.noticeHint, words.texts.turnOnNotifications, rings && canAskForNotices());
    this.host.toggleAttribute("sounding", sounds.ringer.state === "sounding");
    this.notices.update(board.current.incoming, words);
  }

  tick(): void {
    this.stack.tick();
  }

  end(): void {
    this.stopSound();
    this.notices.stop();
    this.stack.end();
    this.host.removeAttribute("sounding");
  }
}

class IncomingCardView implements CardView<IncomingCard> {
  readonly element: HTMLElement;
  private readonly title: HTMLElement;
  private readonly type = node("span");
  private readonly time = node("span", { class: "time", part: "time", role: "timer" });
  private readonly others = node("p", { class: "others", part: "others" });
  private readonly circle = new Circle();
  private readonly note: Note;
  private readonly actions: HTMLElement;
  private readonly buttons: CardButton[];
  private card: IncomingCard;
  private words: Words | undefined;

  constructor(
    private readonly phone: Phone,
    card: IncomingCard,
  ) {
    this.card = card;
    const id = `t-${card.callID}`;
    this.title = node("h2", { id, class: "title", part: "title" });
    this.note = new Note(phone, "incoming");
    this.buttons = [
      new CardButton(phone, "incoming", card.callID, "accept", card.callType === 1 ? "video" : "voice", id),
      new CardButton(phone, "incoming", card.callID, "decline", "hangUp", id),
    ];
    this.actions = node("div", { class: "actions", part: "actions" }, ...this.buttons.map((b) => b.element));
    const sub = node("p", { class: "sub", part: "subtitle" }, this.type, this.time);
    const who = node("div", { class: "who" }, this.title, sub, this.others);
    const head = node("div", { class: "head" }, avatar(card.caller, false, this.circle.svg), who);
    const role = { role: "dialog", "aria-labelledby": id };
    this.element = node("section", { class: "card pulse", part: "card incoming", ...role }, head, this.note.element, this.actions);
  }

  update(card: IncomingCard, words: Words): void {
    const { texts, language } = words;
    this.card = card;
    this.words = words;
    const { outcome, caller, others, callID } = card;
    setText(this.title, outcome ? outcomeText(texts, outcome, caller.name) : fill(texts.incoming, { name: caller.name }));
    setText(this.type, typeText(texts, card.callType));
    setText(this.others, others.length > 0 ? fill(texts.withOthers, { names: listed(language, others) }) : "");
    for (const button of this.buttons) button.update(words);
    this.note.update(callID, Boolean(outcome), words);
    this.actions.hidden = Boolean(outcome);
    this.element.classList.toggle("pulse", !outcome && !this.phone.pressedOn("incoming", callID));
    this.circle.svg.toggleAttribute("hidden", Boolean(outcome));
    this.tick();
  }

  tick(): void {
    const { call, outcome } = this.card;
    const left = outcome ? 0 : call.ringRemaining();
    setText(this.time, outcome || !this.words ? "" : fill(this.words.texts.seconds, { seconds: Math.ceil(left / 1000) }));
    this.circle.left = ringLeft(call, left, this.phone.client.serverNow());
  }
}

function hint(image: "sound" | "bell", pressed: () => void): HTMLButtonElement {
  const button = node("button", { type: "button", class: "hint", part: "button hint", hidden: "" }, icon(image), node("span"));
  button.addEventListener("click", pressed);
  return button;
}

function label(button: HTMLButtonElement, text: string, isShown: boolean): void {
  const span = button.querySelector("span");
  if (span) setText(span, text);
  button.hidden = !isShown;
}
