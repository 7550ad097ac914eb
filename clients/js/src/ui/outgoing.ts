import { describeOutgoing, progressText, typeText, type Words } from "./announce.js";
import { avatar } from "./avatar.js";
import type { CalleeRow, OutgoingCard } from "./cards.js";
import { noView, type MakeView, type RinglineElement, type View } from "./host.js";
import { node, setText } from "./nodes.js";
import type { Phone } from "./phone.js";
import { CardButton, Note, Stack, type CardView } from "./stack.js";
import { fill, listed } from "./texts.js";

/** `<ringline-outgoing>`: the calls made here that some callee has not answered. */
export const outgoingView: MakeView = (host, root, phone) => (phone ? new OutgoingView(host, root, phone) : noView);

class OutgoingView implements View {
  private readonly stack: Stack<OutgoingCard>;
  private readonly stopSound: () => void;

  constructor(
    host: RinglineElement,
    root: ShadowRoot,
    phone: Phone,
  ) {
    this.stack = new Stack<OutgoingCard>(host, root, phone, {
      where: "outgoing",
      cards: () => phone.board.current.outgoing,
      make: (card) => new OutgoingCardView(phone, card),
      describe: describeOutgoing,
      appearance: () => "requested",
    });
    this.stopSound = host.hasAttribute("muted") ? () => {} : phone.sounds.use("ringback");
  }

  update(words: Words): void {
    this.stack.update(words);
  }

  end(): void {
    this.stopSound();
    this.stack.end();
  }
}

class OutgoingCardView implements CardView<OutgoingCard> {
  readonly element: HTMLElement;
  private readonly title: HTMLElement;
  private readonly type = node("span");
  private readonly only = node("span", { class: "progress", part: "progress" });
  private readonly list = node("ul", { class: "rows", part: "rows" });
  private readonly rows = new Map<string, { element: HTMLElement; progress: HTMLElement }>();
  private readonly note: Note;
  private readonly cancel: CardButton;
  private readonly actions: HTMLElement;

  constructor(
    private readonly phone: Phone,
    { callID, rows }: OutgoingCard,
  ) {
    const id = `t-${callID}`;
    this.title = node("h2", { id, class: "title", part: "title" });
    this.note = new Note(phone, "outgoing");
    this.cancel = new CardButton(phone, "outgoing", callID, "cancel", "hangUp", id);
    this.actions = node("div", { class: "actions", part: "actions" }, this.cancel.element);
    const sub = node("p", { class: "sub", part: "subtitle" }, this.type, this.only);
    const faces = rows.length === 1 ? rows.map((row) => avatar(row)) : [];
    const head = node("div", { class: "head" }, ...faces, node("div", { class: "who" }, this.title, sub));
    const attributes = { class: "card", part: "card outgoing", role: "dialog" };
    this.element = node("section", attributes, head, this.list, this.note.element, this.actions);
  }

  update({ callID, callType, rows, outcome }: OutgoingCard, words: Words): void {
    const { texts, language } = words;
    const names = listed(language, rows.map((row) => row.name));
    setText(this.title, names);
    this.element.setAttribute("aria-label", fill(texts.outgoing, { names }));
    setText(this.type, typeText(texts, callType));
    const [first, ...more] = rows;
    const isOne = more.length === 0;
    setText(this.only, isOne && first ? progressText(texts, first.progress) : "");
    this.only.dataset.progress = first?.progress;
    this.list.hidden = isOne;
    if (!isOne) for (const row of rows) this.draw(row, words);
    const rings = !outcome && rows.some((row) => row.progress === "ringing") && !this.phone.pressedOn("outgoing", callID);
    this.element.classList.toggle("pulse", rings);
    this.note.update(callID, Boolean(outcome), words);
    this.cancel.update(words);
    this.actions.hidden = Boolean(outcome);
  }

  private draw(row: CalleeRow, { texts }: Words): void {
    let known = this.rows.get(row.userID);
    if (!known) {
      const progress = node("span", { class: "progress", part: "progress" });
      const name = node("span", { class: "name" }, row.name);
      known = { element: node("li", { class: "row", part: "row" }, avatar(row, true), name, progress), progress };
      this.rows.set(row.userID, known);
      this.list.append(known.element);
    }
    setText(known.progress, progressText(texts, row.progress));
    known.progress.dataset.progress = known.element.dataset.progress = row.progress;
  }
}
