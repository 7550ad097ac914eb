/** How long after a key no card that comes unasked takes the focus: what is typed next was not meant for it. */
const typing = 800;

const textFields = "textarea, select, input:not([type=button], [type=checkbox], [type=radio], [type=submit])";

/** How a card comes: by what the user did, without that, or in place of another one. */
export type Coming = "asked" | "unasked" | "follows";

/**
 * Moves the focus to a card's first button when it comes, and back when the last one goes. Not away from somebody who
 * types, who would answer by a space; he hears of the call all the same.
 */
export class FocusKeeper {
  private before: HTMLElement | undefined;
  private readonly cards = new Set<() => HTMLElement | undefined>(); // each gives its first button
  private lastKey = -Infinity;
  private users = 0;

  private readonly onKey = (): void => {
    this.lastKey = performance.now();
  };

  /** An element is there, until what it returns is called. */
  use(): () => void {
    if (this.users++ === 0) document.addEventListener("keydown", this.onKey, true);
    return () => {
      if (--this.users === 0) document.removeEventListener("keydown", this.onKey, true);
    };
  }

  /** A card came. Gives what to call just before it goes. */
  came(card: HTMLElement, firstButton: () => HTMLElement | undefined, how: Coming): () => void {
    const focused = activeElement();
    if (mayMove(focused, how, performance.now() - this.lastKey)) {
      if (focused && !this.holds(focused)) this.before = focused;
      firstButton()?.focus({ preventScroll: true });
    }
    this.cards.add(firstButton);
    return () => {
      this.cards.delete(firstButton);
      const inside = card.contains(activeElement() ?? null);
      // After everything else has been drawn: the next card may have come with the same change.
      if (inside) void Promise.resolve().then(() => this.goOn());
    };
  }

  private holds(element: HTMLElement): boolean {
    return [...this.cards].some((first) => first()?.getRootNode() === element.getRootNode() && element.getRootNode() !== document);
  }

  private goOn(): void {
    if (activeElement()) return; // somebody else has taken it
    const next = [...this.cards].pop()?.();
    if (next) return next.focus({ preventScroll: true });
    if (this.before?.isConnected) this.before.focus({ preventScroll: true });
    this.before = undefined;
  }
}

/** What has the focus, in whatever shadow tree; undefined where that is the page itself. */
export function activeElement(): HTMLElement | undefined {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return element instanceof HTMLElement && element !== document.body && element !== document.documentElement ? element : undefined;
}

function mayMove(focused: HTMLElement | undefined, how: Coming, sinceKey: number): boolean {
  if (how === "follows") return !focused;
  if (how === "unasked" && sinceKey < typing) return false;
  return !focused?.isContentEditable && !focused?.matches(textFields);
}
