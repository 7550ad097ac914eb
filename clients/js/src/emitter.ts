/* eslint-disable @typescript-eslint/no-explicit-any -- a handler's arguments are those of its event, whatever they are */
type Handler = (...args: any[]) => unknown;

/**
 * Calls an app's handler so that nothing it does can harm us: an exception, or a promise that it returns and that fails,
 * is shown where a developer looks, and told to `failed`.
 */
export function guarded(handler: Handler, args: readonly unknown[], failed: (error: unknown) => void): void {
  const report = (error: unknown): void => {
    show(error);
    failed(error);
  };
  try {
    const result = handler(...args) as { then?: unknown } | undefined;
    if (typeof result?.then === "function") Promise.resolve(result).catch(report);
  } catch (error) {
    report(error);
  }
}

function show(error: unknown): void {
  if (typeof reportError === "function") reportError(error);
  else if (typeof console !== "undefined") console.error(error);
}

/** Handlers by event. One that is added while an event is told hears of the next; one that is removed hears nothing more. */
export class Emitter<Events extends object> {
  private readonly handlers = new Map<keyof Events, Set<Handler>>();

  /** `failed` hears of the exceptions of handlers. */
  constructor(private readonly failed: (event: keyof Events, error: unknown) => void) {}

  /** Gives a function that takes the handler away again. */
  on(event: keyof Events, handler: Handler): () => void {
    const own: Handler = (...args) => handler(...args); // the same handler may be added twice
    const set = this.handlers.get(event) ?? new Set();
    this.handlers.set(event, set.add(own));
    return () => void set.delete(own);
  }

  emit(event: keyof Events, args: readonly unknown[]): void {
    const set = this.handlers.get(event);
    for (const handler of [...(set ?? [])]) {
      if (set?.has(handler)) guarded(handler, args, (error) => this.failed(event, error));
    }
  }
}
