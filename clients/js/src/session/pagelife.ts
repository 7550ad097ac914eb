type Add = Pick<EventTarget, "addEventListener" | "removeEventListener">;

/** What happens to a page. */
export interface PageListener {
  /** The page stops running, or its socket closes soon. */
  onAway(): void;
  /** The page runs again. */
  onBack(): void;
  /** The page may have missed something: it is visible again, or was frozen. */
  onLook(wasFrozen: boolean): void;
}

/**
 * Watches for what stops a page or closes its socket:
 *
 * - `freeze`, and `pagehide` of a page that goes into the back/forward cache. A page that is only hidden runs on: its
 *   timers are slow, and its socket lives.
 * - On iOS, a page that is hidden. It stops some seconds later, and no `freeze` says so.
 * - `hide` and `show` of the platform's own event target, for mini-programs.
 *
 * A page that closes is not away: it does not come back.
 */
export class PageLife {
  private stops: (() => void)[] = [];

  constructor(
    private readonly listener: PageListener,
    private readonly platform: EventTarget | undefined,
  ) {}

  start(): void {
    const { listener, platform } = this;
    this.stop();
    if (platform) {
      this.on(platform, "hide", () => listener.onAway());
      this.on(platform, "show", () => listener.onBack());
    }
    if (typeof addEventListener === "function") this.watchWindow(globalThis);
    if (typeof document !== "undefined") this.watchDocument(document);
  }

  stop(): void {
    for (const stop of this.stops.splice(0)) stop();
  }

  private watchWindow(page: Add): void {
    const { listener } = this;
    const persisted = (event: Event): boolean => (event as PageTransitionEvent).persisted;
    this.on(page, "pagehide", (event) => persisted(event) && listener.onAway());
    this.on(page, "pageshow", (event) => persisted(event) && listener.onBack());
  }

  private watchDocument(page: Document): void {
    const { listener } = this;
    this.on(page, "freeze", () => listener.onAway());
    this.on(page, "resume", () => (listener.onBack(), listener.onLook(true)));
    const suspends = suspendsHiddenPages();
    if (suspends && page.hidden) listener.onAway();
    this.on(page, "visibilitychange", () => {
      if (!page.hidden) listener.onLook(false);
      if (suspends) page.hidden ? listener.onAway() : listener.onBack();
    });
  }

  private on(target: Add, type: string, handler: (event: Event) => unknown): void {
    const listen = (event: Event): void => void handler(event);
    target.addEventListener(type, listen);
    this.stops.push(() => target.removeEventListener(type, listen));
  }
}

/** iOS, and iPadOS, which calls itself a Mac. No Mac has a touch screen. */
function suspendsHiddenPages(): boolean {
  if (typeof navigator === "undefined") return false;
  const { userAgent = "", maxTouchPoints = 0 } = navigator;
  return /iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1);
}
