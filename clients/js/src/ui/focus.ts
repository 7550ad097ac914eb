/** For this long after a key press, an unasked card does not take the focus: the next key was not meant for it. */
const typing = 800;

const textFields = "textarea, select, input:not([type=button], [type=checkbox], [type=radio], [type=submit])";

/** How a card appears: after a user action, without one, or as the successor of another card. */
export type Appearance = "requested" | "unrequested" | "successor";

/**
 * Moves the focus to a card's first button when the card appears, and back when the last card goes. It does not take
 * the focus from a user who is typing, because a space would answer the call. Screen readers still announce the card.
 */
export class FocusKeeper {
  private before: HTMLElement | undefined;
  private readonly cards = new Set<() => HTMLElement | undefined>(); // functions that return each card's first button
  private lastKey = -Infinity;
  private users = 0;

  private readonly onKey = (): void => {
    this.lastKey = performance.now();
  };

  /** Registers an element until the returned function is called. */
  use(): () => void {
    if (this.users++ === 0) document.addEventListener("keydown", this.onKey, true);
    return () => {
      if (--this.users === 0) document.removeEventListener("keydown", this.onKey, true);
    };
  }

  /** Registers a new card. The returned function must be called just before the card goes. */
  add(card: HTMLElement, firstButton: () => HTMLElement | undefined, appearance: Appearance): () => void {
    const focused = activeElement();
    if (mayMove(focused, appearance, performance.now() - this.lastKey)) {
      if (focused && !this.holds(focused)) this.before = focused;
      firstButton()?.focus({ preventScroll: true });
    }
    this.cards.add(firstButton);
    return () => {
      this.cards.delete(firstButton);
      const inside = card.contains(activeElement() ?? null);
      // Waits until everything else is drawn: the next card may appear with the same change.
      if (inside) void Promise.resolve().then(() => this.restore());
    };
  }

  private holds(element: HTMLElement): boolean {
    return [...this.cards].some((first) => first()?.getRootNode() === element.getRootNode() && element.getRootNode() !== document);
  }

  private restore(): void {
    if (activeElement()) return; // another element has taken it
    const next = [...this.cards].pop()?.();
    if (next) return next.focus({ preventScroll: true });
    if (this.before?.isConnected) this.before.focus({ preventScroll: true });
    this.before = undefined;
  }
}

/** The element that has the focus, in any shadow tree; undefined if it is the page itself. */
export function activeElement(): HTMLElement | undefined {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return element instanceof HTMLElement && element !== document.body && element !== document.documentElement ? element : undefined;
}

function mayMove(focused: HTMLElement | undefined, appearance: Appearance, sinceKey: number): boolean {
  if (appearance === "successor") return !focused;
  if (appearance === "unrequested" && sinceKey < typing) return false;
  return !focused?.isContentEditable && !focused?.matches(textFields);
}
