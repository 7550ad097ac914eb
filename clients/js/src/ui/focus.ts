/** For this long after a card appears, keys on its buttons do nothing: they were meant for something else. */
const early = 1_000;

const textFields = "textarea, select, input:not([type=button], [type=checkbox], [type=radio], [type=submit])";

/** How a card appears: after a user action, without one, or as the successor of another card. */
export type Appearance = "requested" | "unrequested" | "successor";

/**
 * Moves the focus to the card of a call that the user makes, from card to card while the user is in one, and back when
 * the last card goes. A card that appears by itself never takes the focus, because a key meant for the page would answer
 * the call. Screen readers announce every card.
 */
export class FocusKeeper {
  private before: HTMLElement | undefined;
  private readonly cards = new Set<() => HTMLElement | undefined>(); // functions that return each card's first button

  /** Registers a new card. The returned function must be called just before the card goes. */
  add(card: HTMLElement, firstButton: () => HTMLElement | undefined, appearance: Appearance): () => void {
    card.addEventListener("focusin", ({ relatedTarget: from }) => {
      if (from instanceof HTMLElement && !card.contains(from) && !from.shadowRoot?.querySelector(".card")) this.before = from;
    });
    if (appearance === "requested") this.move(firstButton());
    if (appearance !== "unrequested") this.cards.add(firstButton);
    return () => {
      this.cards.delete(firstButton);
      const inside = card.contains(activeElement() ?? null);
      // Waits until everything else is drawn: the next card may appear with the same change.
      if (inside) void Promise.resolve().then(() => this.restore());
    };
  }

  private move(button: HTMLElement | undefined): void {
    const focused = activeElement();
    if (focused?.isContentEditable || focused?.matches(textFields)) return;
    button?.focus({ preventScroll: true });
    if (focused && !focused.closest(".card")) this.before = focused; // it may be inside another element
  }

  private restore(): void {
    if (activeElement()) return; // another element has taken it
    const next = [...this.cards].pop()?.();
    if (next) return next.focus({ preventScroll: true });
    if (this.before?.isConnected) this.before.focus({ preventScroll: true });
    this.before = undefined;
  }
}

/** Ignores keys on a new button that come too early, and keys that are held down or were pressed somewhere else. */
export function ignoreEarlyKeys(button: HTMLElement): void {
  const from = performance.now() + early;
  let counts = false; // the key went down here, in time
  const presses = ({ key }: KeyboardEvent): boolean => key === "Enter" || key === " ";
  button.addEventListener("keydown", (event) => {
    if (!presses(event)) return;
    counts = !event.repeat && performance.now() >= from;
    if (!counts) event.preventDefault();
  });
  button.addEventListener("keyup", (event) => {
    if (presses(event) && !counts) event.preventDefault();
    counts = false;
  });
}

/** The element that has the focus, in any shadow tree; undefined if it is the page itself. */
export function activeElement(): HTMLElement | undefined {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return element instanceof HTMLElement && element !== document.body && element !== document.documentElement ? element : undefined;
}
